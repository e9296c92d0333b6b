#!/usr/bin/env bash
# oidc-provider 9.13.3 names another error than RFC 6749 where a client may not use the grant it asks for.
#
# Expected: RFC 6749 section 5.2: "unauthorized_client: The authenticated client is not authorized to use this authorization grant type."
# A client that branches on the code, or a tool that gives advice by it (register the client for client_credentials), goes by that name.
# Seen: 400 with "invalid_request" ("requested grant type is not allowed for this client"), the code for a request that is malformed; an
# unknown grant is named as the RFC has it, unsupported_grant_type.
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
      client_id: 'me', client_secret: 'secret', grant_types: ['authorization_code'], redirect_uris: ['https://me.example/callback'],
    }],
    features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
  });
  server.on('request', provider.callback());
  console.log(port);
});
JS
node server.mjs > port 2> log &
server=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
echo "oidc-provider $version, node $(node --version)"
status=0
for case in 'client_credentials|invalid_request' 'no_such_grant|unsupported_grant_type'; do
    IFS='|' read -r grant expected <<< "$case"
    answer=$(curl -sS -w ' %{http_code}' -u me:secret -d "grant_type=$grant" "http://127.0.0.1:$(head -n 1 port)/token")
    echo "seen: grant_type=$grant is answered $answer"
    case $answer in
        "{\"error\":\"$expected\""*" 400") ;;
        *) echo "CHANGED: expected 400 with $expected"; status=1 ;;
    esac
done
exit $status
