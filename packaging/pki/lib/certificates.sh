# Certificates of hosts and clients: keys, requests, signatures, archives, renewal and revocation.

make_key() {
    openssl_quietly genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

# allowed_days: sets `days`, the validity of certificates, which is limited by that of the authority.
allowed_days() {
    local left
    # With an hour for the work itself.
    left=$((($(seconds_until "$(openssl x509 -in "$CURRENT/ca.crt" -noout -enddate)") - 3600) / 86400))
    days=$DAYS
    if ((left < days)); then
        ((left > 0)) || fail "the authority in $PKI has expired, or does so within a day; make a new one in another folder"
        echo "exporter-pki: the authority is valid for $left days only, and so will be its certificates: exporter-pki rotate-ca" >&2
        days=$left
    fi
}

# issue ENTRY: signs hosts/NAME or clients/NAME from its files `csr` and `names`. The old certificate stays until the new one is
# complete. Uses one openssl process, because a renewal of a thousand hosts repeats this.
issue() {
    local folder=$PKI/$1 name=${1#*/} serial purpose=serverAuth
    [[ $1 = hosts/* ]] || purpose=clientAuth
    # Positive, and without a leading zero.
    printf -v serial '4%07X%08X%08X%08X' $((SRANDOM >> 4)) "$SRANDOM" "$SRANDOM" "$SRANDOM"
    umask 022
    openssl_quietly x509 -req -in "$folder/csr" -subj "/CN=$name" -CA "$CURRENT/ca.crt" -CAkey "$CURRENT/ca.key" \
        -set_serial "0x$serial" -sha256 -days "$days" -out "$folder/tls.crt.new" -extfile <(
            printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' "extendedKeyUsage=$purpose" \
                "subjectAltName=$(<"$folder/names")" 'authorityKeyIdentifier=keyid' 'subjectKeyIdentifier=hash'
        )
    umask 077
    # The record comes first: a certificate that is not in it cannot be revoked.
    printf 'V\t%s\t\t%s\t%s\t/CN=%s\n' "$(utc $((days + 1)))" "$serial" "$1" "$name" >>"$CURRENT/index.txt"
    mv -f "$folder/tls.crt.new" "$folder/tls.crt"
    bundle "$1"
}

# bundle ENTRY: all files that a host needs in /etc/node-exporter; for a client, the folder.
bundle() {
    local folder=$PKI/$1 files=(tls.crt)
    if [[ $1 = clients/* ]]; then
        cp "$PKI/ca.crt" "$PKI/crl.pem" "$folder/"
        return
    fi
    [[ ! -e $folder/tls.key ]] || files+=(tls.key)
    tar --owner=0 --group=0 --mode=u=rw,g=r,o= -cf "$folder.tar" -C "$folder" "${files[@]}" -C ../.. ca.crt crl.pem
}

# entries: hosts/NAME and clients/NAME of all that have a certificate.
entries() {
    local certificate
    for certificate in "$PKI"/hosts/*/tls.crt "$PKI"/clients/*/tls.crt; do
        certificate=${certificate%/tls.crt}
        echo "${certificate#"$PKI"/}"
    done
}

bundle_all() {
    local entry
    for entry in $(entries); do
        bundle "$entry"
    done
}

# new_entry ENTRY NAMES: refuses one that has a certificate.
new_entry() {
    [[ ! -e $PKI/$1/tls.crt ]] || fail "$PKI/$1 has a certificate already; see 'renew' and 'revoke'"
    mkdir -p "$PKI/$1"
    echo "$2" >"$PKI/$1/names"
}

# make_request ENTRY: for the key of the entry.
make_request() {
    openssl_quietly req -new -key "$PKI/$1/tls.key" -subj "/CN=${1#*/}" -out "$PKI/$1/csr"
}

# with_key ENTRY NAMES: key, request and certificate.
with_key() {
    need_authority
    local days
    allowed_days
    new_entry "$1" "$2"
    make_key "$PKI/$1/tls.key"
    make_request "$1"
    fresh_lists
    issue "$1"
}

host() {
    (($# >= 1)) || usage "host needs a name"
    own_name "$1"
    local list
    list=$(names "$FLEET" "$@") || exit
    with_key "hosts/$1" "$list"
    echo "$PKI/hosts/$1.tar"
}

sign() {
    (($# >= 2)) || usage "sign needs a request and a name"
    local request=$1 list days
    shift
    own_name "$1"
    openssl req -in "$request" -noout -verify >/dev/null 2>&1 || fail "$request is not a certificate request (PEM), or its signature is wrong"
    list=$(names "$FLEET" "$@") || exit
    need_authority
    allowed_days
    new_entry "hosts/$1" "$list"
    cp "$request" "$PKI/hosts/$1/csr"
    fresh_lists
    issue "hosts/$1"
    echo "$PKI/hosts/$1/tls.crt"
}

client() {
    (($# == 1)) || usage "client needs one name"
    own_name "$1"
    with_key "clients/$1" "DNS:$1"
    echo "$PKI/clients/$1"
}

# reissue ENTRY: a new certificate with the same key and names.
reissue() {
    local folder=$PKI/$1
    # Folders of the first version have neither file.
    [[ -e $folder/names ]] ||
        openssl x509 -in "$folder/tls.crt" -noout -ext subjectAltName | sed -e 1d -e 's/IP Address:/IP:/g; s/[[:space:]]//g' >"$folder/names"
    [[ -e $folder/csr ]] || make_request "$1"
    issue "$1"
    echo "$folder/tls.crt"
}

# reissue_all ENTRY...: concurrently. A failed renewal does not stop the others.
reissue_all() {
    local entry running=0 failures=0 days
    allowed_days
    fresh_lists
    for entry; do
        if ((running >= JOBS)); then
            wait -n || failures=$((failures + 1))
            running=$((running - 1))
        fi
        (
            trap '[[ $? = 0 ]] || echo "exporter-pki: $PKI/$entry was not renewed" >&2' EXIT
            reissue "$entry"
        ) &
        running=$((running + 1))
    done
    while ((running > 0)); do
        wait -n || failures=$((failures + 1))
        running=$((running - 1))
    done
    ((failures == 0)) || fail "$failures of $# certificates were not renewed"
}

renew() {
    local within= entry days
    if [[ ${1:-} = --all ]]; then
        case $#:${2:-} in
            1:) ;;
            3:--within) within=${3%d} ;;
            2:--within=*) within=${2#--within=} within=${within%d} ;;
            *) usage "renew --all takes --within DAYS and nothing else" ;;
        esac
        [[ -z $within ]] || is_number "$within" || usage "'$within' is not a number of days"
        need_authority
        local rows due
        rows=$(days_left) || exit
        mapfile -t due < <(awk -v within="${within:-100000}" '$1 < within && $2 ~ "^(hosts|clients)/" { print $2 }' <<<"$rows")
        ((${#due[@]} == 0)) || reissue_all "${due[@]%/tls.crt}"
        return
    fi
    (($# == 2)) || usage "renew needs 'host' or 'client', and a name; or --all"
    existing "$@"
    need_authority
    allowed_days
    fresh_lists
    reissue "$entry"
}

# record ENTRY: certificates of the first version are not in the index.
record() {
    local serial authority
    serial=$(openssl x509 -in "$PKI/$1/tls.crt" -noout -serial)
    serial=${serial#*=}
    for authority in "$CURRENT" "$PREVIOUS"; do
        [[ -e $authority ]] || continue
        touch "$authority/index.txt"
        ! grep -q "$serial" "$authority/index.txt" || return 0
    done
    printf 'V\t%s\t\t%s\t%s\t/CN=%s\n' "$(utc "$((DAYS + 1))")" "$serial" "$1" "${1#*/}" >>"$CURRENT/index.txt"
}

revoke() {
    (($# == 2)) || usage "revoke needs 'host' or 'client', and a name"
    local entry authority
    existing "$@"
    need_authority
    record "$entry"
    # openssl requires a two-digit year here.
    local revoked_at
    revoked_at=$(utc 0)
    revoked_at=${revoked_at:2}
    for authority in "$CURRENT" "$NEXT" "$PREVIOUS"; do
        [[ -e $authority/index.txt ]] || continue
        awk -F '\t' -v OFS='\t' -v entry="$entry" -v now="$revoked_at" \
            '$1 == "V" && $5 == entry { $1 = "R"; $3 = now } { print }' "$authority/index.txt" >"$authority/index.txt.new"
        mv -f "$authority/index.txt.new" "$authority/index.txt"
    done
    renew_lists
    rm -rf "${PKI:?}/$entry" "$PKI/$entry.tar"
    bundle_all
    echo "$PKI/crl.pem"
}
