# Built in one stage with a compiler, run in another without one.
FROM python:3.13-slim-bookworm AS build

RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE ./
COPY axfr axfr
COPY cli cli
COPY nameserver nameserver
COPY registrar registrar
COPY storage storage
COPY web web
COPY zones zones

# --copies: the environment's interpreter is a file of its own, which can carry a capability that
# the system's interpreter does not have.
RUN python -m venv --copies /opt/nsctl \
    && /opt/nsctl/bin/pip install --no-cache-dir . \
    && /opt/nsctl/bin/python -c "import zones.packing as p; assert p.compiled_available"


FROM python:3.13-slim-bookworm

COPY --from=build /opt/nsctl /opt/nsctl

# Port 53 for an ordinary user: by file capability, so that it does not depend on the host's
# net.ipv4.ip_unprivileged_port_start. The container must keep NET_BIND_SERVICE (it does unless
# told otherwise; see compose.yaml). It is given to the interpreter that bin/nsctl names.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libcap2-bin \
    && setcap cap_net_bind_service=+ep "$(readlink -f "$(head -n 1 /opt/nsctl/bin/nsctl | cut -c 3-)")" \
    && apt-get purge -y --auto-remove libcap2-bin \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10053 --user-group --home-dir /var/lib/nsctl --create-home nsctl

ENV PATH=/opt/nsctl/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NSCTL_DATABASE=sqlite:////var/lib/nsctl/nsctl.db \
    NSCTL_LISTEN="0.0.0.0@53 [::]@53"

USER nsctl
WORKDIR /var/lib/nsctl
VOLUME /var/lib/nsctl
EXPOSE 53/udp 53/tcp

# Any answer will do: that the server reads and answers packets is what is asked here.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import dns.message, dns.query; dns.query.udp(dns.message.make_query('version.bind', 'TXT', 'CH'), '127.0.0.1', timeout=2)"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["nsctl"]
CMD ["serve"]
