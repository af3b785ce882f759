from nameserver._rrl import RateLimitsCompiled
from nameserver._table import Zones
from nameserver.cookies import Client
from nameserver.respond import AnswerSettings, HandOver, Transport
from nameserver.table import ZoneTable

class AnswerSettingsCompiled:
    def __init__(self, given: AnswerSettings) -> None: ...

class CompiledTable(Zones):
    @property
    def served(self) -> ZoneTable: ...
    def respond(
        self,
        query: bytes,
        transport: Transport,
        settings: AnswerSettings,
        client: Client | None = None,
    ) -> bytes | HandOver | None: ...
    def respond_briefly(
        self,
        query: bytes,
        settings: AnswerSettings,
        client: Client | None = None,
        *,
        badcookie: bool,
    ) -> bytes: ...
    def account(self, limits: RateLimitsCompiled) -> int: ...
    def respond_many(
        self,
        queries: list[bytes],
        transport: Transport,
        settings: AnswerSettings,
        client: Client | None = None,
        *,
        rounds: int = 1,
    ) -> list[bytes | HandOver | None]: ...
