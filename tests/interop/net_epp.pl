# Walks through a domain's life with Net::EPP::Simple: HOST PORT CA CERT KEY; prints what it saw.
use strict;
use warnings;
use Net::EPP::Simple;
use Net::EPP::Frame;

my ($host, $port, $ca, $cert, $key) = @ARGV;
my $epp = Net::EPP::Simple->new(
    host => $host, port => $port, user => 'PROVIDER-1', pass => 'our-password', timeout => 20,
    verify => 1, ca_file => $ca, cert => $cert, key => $key, load_config => 0,
) or die "no session: $Net::EPP::Simple::Error";

sub told { printf "%s %s %s\n", shift, $Net::EPP::Simple::Code, join ' ', map { $_ // '-' } @_ }

told 'check', $epp->check_domain('example.org');
$epp->create_contact({
    id => 'PERL-1',
    postalInfo => { int => {
        name => 'Erika Mustermann', org => 'Beispiel',
        addr => { street => ['Weg 1', 'Haus 2'], city => 'Berlin', pc => '10115', cc => 'DE' },
    } },
    voice => '+49.301234567', email => 'erika@example.org', authInfo => 'contact-secret',
});
told 'contact', $epp->contact_info('PERL-1')->{postalInfo}{int}{addr}{city};
$epp->create_domain({
    name => 'example.org', period => 2, registrant => 'PERL-1', contacts => { admin => 'PERL-1' },
    ns => ['ns1.example.net', 'ns2.example.net'], authInfo => 'first-secret',
});
told 'create', $epp->check_domain('example.org');
my $info = $epp->domain_info('example.org');
told 'info', $info->{exDate}, $info->{registrant}, join(',', @{$info->{ns}}), @{$info->{status}};
$epp->create_host({ name => 'ns.example.org', addrs => [{ ip => '192.0.2.1', version => 'v4' }] });
told 'host', $epp->host_info('ns.example.org')->{addrs}[0]{addr};
$epp->update_domain({ name => 'example.org', add => { status => ['clientHold'] },
    rem => {}, chg => {} });
told 'update', @{$epp->domain_info('example.org')->{status}};
$epp->renew_domain({ name => 'example.org', cur_exp_date => substr($info->{exDate}, 0, 10),
    period => 1 });
told 'renew', $epp->domain_info('example.org')->{exDate};
my $poll = $epp->request(Net::EPP::Frame::Command::Poll::Req->new);
printf "poll %s %s\n", $poll->code, $poll->msg;
$epp->domain_transfer_request('other.org', 'wrong', 1);
told 'transfer';
$epp->delete_domain('example.org');
told 'delete';
$epp->delete_domain('example.org');
told 'gone';
told 'ping', $epp->ping ? 'pong' : 'silence';
$epp->logout;
