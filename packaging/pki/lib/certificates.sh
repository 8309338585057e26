# Certificates of hosts and clients: keys, requests, signatures, archives, renewal and revocation.

make_key() {
    openssl_quietly genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

# limit_days: sets `days`, the validity of new certificates, which must not outlive the authority.
limit_days() {
    local left
    # Less one hour, because signing takes time.
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
    # Record the certificate before it is used, because only recorded certificates can be revoked.
    printf 'V\t%s\t\t%s\t%s\t/CN=%s\n' "$(utc $((days + 1)))" "$serial" "$1" "$name" >>"$CURRENT/index.txt"
    mv -f "$folder/tls.crt.new" "$folder/tls.crt"
    bundle "$1"
}

# bundle ENTRY: makes the archive of all files that a host needs in /etc/node-exporter, or completes the folder of a client.
bundle() {
    local folder=$PKI/$1 files=(tls.crt)
    if [[ $1 = clients/* ]]; then
        cp "$PKI/ca.crt" "$PKI/crl.pem" "$folder/"
        return
    fi
    [[ ! -e $folder/tls.key ]] || files+=(tls.key)
    tar --owner=0 --group=0 --mode=u=rw,g=r,o= -cf "$folder.tar" -C "$folder" "${files[@]}" -C ../.. ca.crt crl.pem
}

# entries: prints hosts/NAME and clients/NAME of all that have a certificate.
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

# new_entry ENTRY NAMES: creates the folder of an entry; fails if it has a certificate.
new_entry() {
    [[ ! -e $PKI/$1/tls.crt ]] || fail "$PKI/$1 has a certificate already; see 'renew' and 'revoke'"
    mkdir -p "$PKI/$1"
    echo "$2" >"$PKI/$1/names"
}

# make_csr ENTRY: makes a certificate request for the key of the entry.
make_csr() {
    openssl_quietly req -new -key "$PKI/$1/tls.key" -subj "/CN=${1#*/}" -out "$PKI/$1/csr"
}

# issue_with_new_key ENTRY NAMES: makes a key and a certificate request, and issues the certificate.
issue_with_new_key() {
    require_authority
    local days
    limit_days
    new_entry "$1" "$2"
    make_key "$PKI/$1/tls.key"
    make_csr "$1"
    refresh_crls
    issue "$1"
}

host() {
    (($# >= 1)) || usage "host needs a name"
    check_common_name "$1"
    local list
    list=$(subject_alt_names "$FLEET" "$@") || exit
    issue_with_new_key "hosts/$1" "$list"
    echo "$PKI/hosts/$1.tar"
}

sign() {
    (($# >= 2)) || usage "sign needs a request and a name"
    local request=$1 list days
    shift
    check_common_name "$1"
    openssl req -in "$request" -noout -verify >/dev/null 2>&1 || fail "$request is not a certificate request (PEM), or its signature is wrong"
    list=$(subject_alt_names "$FLEET" "$@") || exit
    require_authority
    limit_days
    new_entry "hosts/$1" "$list"
    cp "$request" "$PKI/hosts/$1/csr"
    refresh_crls
    issue "hosts/$1"
    echo "$PKI/hosts/$1/tls.crt"
}

client() {
    (($# == 1)) || usage "client needs one name"
    check_common_name "$1"
    issue_with_new_key "clients/$1" "DNS:$1"
    echo "$PKI/clients/$1"
}

# reissue ENTRY: issues a new certificate with the same key and names.
reissue() {
    local folder=$PKI/$1
    # Folders of the first version have no files `names` and `csr`.
    [[ -e $folder/names ]] ||
        openssl x509 -in "$folder/tls.crt" -noout -ext subjectAltName | sed -e 1d -e 's/IP Address:/IP:/g; s/[[:space:]]//g' >"$folder/names"
    [[ -e $folder/csr ]] || make_csr "$1"
    issue "$1"
    echo "$folder/tls.crt"
}

# reissue_all ENTRY...: reissues certificates concurrently. A failed renewal does not stop the others.
reissue_all() {
    local entry running=0 failures=0 days
    limit_days
    refresh_crls
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
        require_authority
        local rows due
        rows=$(days_left) || exit
        mapfile -t due < <(awk -v within="${within:-100000}" '$1 < within && $2 ~ "^(hosts|clients)/" { print $2 }' <<<"$rows")
        ((${#due[@]} == 0)) || reissue_all "${due[@]%/tls.crt}"
        return
    fi
    (($# == 2)) || usage "renew needs 'host' or 'client', and a name; or --all"
    find_entry "$@"
    require_authority
    limit_days
    refresh_crls
    reissue "$entry"
}

# record ENTRY: adds a certificate of the first version, which had no index, to the index.
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
    find_entry "$@"
    require_authority
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
    renew_crls
    rm -rf "${PKI:?}/$entry" "$PKI/$entry.tar"
    bundle_all
    echo "$PKI/crl.pem"
}
