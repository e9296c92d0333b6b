#!/usr/bin/env bash
# oidc-provider 9.13.3 answers a client_credentials request whose whole scope it drops as if it had granted it.
#
# Expected: RFC 6749 section 5.1 has the answer carry "scope" unless it is identical to what the client asked for, so that a client
# can tell that it was given less; where nothing that was asked for can be granted, section 5.2 has the error invalid_scope.
# A client that asks for "read admin" is answered "scope":"read", as it should be.
# Seen: a client that asks for "admin" alone, a scope that neither server nor API knows (it may have been renamed), is answered 200 OK with
# a token that allows nothing, and without "scope". By section 5.1 that says "admin was granted"; the API then refuses every request.
# It matters to a load test: all answers are 403, and nothing at the token endpoint tells why.
#
# Needs node, npm, curl and the npm registry. Exit code 0: seen as described. Other codes: the behaviour, or the set-up, has changed.
set -euo pipefail
version=9.13.3
folder=$(mktemp -d)
server=
trap 'kill $server 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund "oidc-provider@$version"
cat > server.mjs <<'JS'
import http from 'node:http';
import Provider from 'oidc-provider';
const server = http.createServer().listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{
      client_id: 'me', client_secret: 'secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'read',
    }],
    scopes: ['read'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'read', audience: 'urn:api', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(port);
});
JS
node server.mjs > port 2> log &
server=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
ask() {
    curl -sS -w '\n%{http_code}' -u me:secret -d grant_type=client_credentials -d resource=urn:api --data-urlencode "scope=$1" \
        "http://127.0.0.1:$(head -n 1 port)/token"
}
claims() {
    node -e 'console.log(Buffer.from(JSON.parse(process.argv[1]).access_token.split(".")[1], "base64url").toString())' "$1"
}
echo "oidc-provider $version, node $(node --version)"
status=0
expect() { # what, actual, expected
    echo "seen: asked for scope \"$scope\", $1: $2"
    [ "$2" = "$3" ] || { echo "CHANGED: expected $3"; status=1; }
}
member() { node -e 'console.log(JSON.stringify(JSON.parse(process.argv[1])[process.argv[2]]) ?? "absent")' "$1" "$2"; }
for case in 'read admin|"read"|"read"' 'admin|absent|absent'; do
    IFS='|' read -r scope answered inside <<< "$case"
    answer=$(ask "$scope")
    body=${answer%$'\n'*}
    expect status "${answer##*$'\n'}" 200
    expect '"scope" in the answer' "$(member "$body" scope)" "$answered"
    expect '"scope" in the token' "$(member "$(claims "$body")" scope)" "$inside"
done
exit $status
