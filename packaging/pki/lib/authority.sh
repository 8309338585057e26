# The authority itself: its key and certificate, its revocation list, and its replacement.

# utc DAYS: prints the time in DAYS days in the format of openssl's database.
utc() {
    TZ=UTC printf '%(%Y%m%d%H%M%S)TZ' $(($(printf '%(%s)T') + $1 * 86400))
}

# make_authority FOLDER: makes a key and a certificate with a unique subject, because certificates and revocation lists identify their issuer by its subject.
make_authority() {
    rm -rf "$1.new"
    mkdir "$1.new"
    make_key "$1.new/ca.key"
    openssl_quietly req -x509 -new -key "$1.new/ca.key" -sha256 -days "$CA_DAYS" \
        -subj "/CN=${FLEET:0:36} authority $(printf '%(%Y%m%d)T')-$(openssl rand -hex 4)" -out "$1.new/ca.crt" \
        -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign
    mv "$1.new" "$1"
}

# make_crl AUTHORITY: makes its crl.pem. index.txt is openssl's database, one line per issued certificate: state, expiry,
# revocation, serial number, entry below $PKI, subject.
make_crl() {
    touch "$1/index.txt"
    [[ -e $1/crlnumber ]] || echo 01 >"$1/crlnumber"
    # Remove expired certificates, which are rejected in any case.
    awk -F '\t' -v now="$(utc 0)" '$2 > now' "$1/index.txt" >"$1/index.txt.new"
    mv -f "$1/index.txt.new" "$1/index.txt"
    openssl_quietly ca -gencrl -cert "$1/ca.crt" -keyfile "$1/ca.key" -crldays "${CRL_DAYS:-$((DAYS + 10))}" -out "$1/crl.pem.new" -config <(
        printf '%s\n' '[ca]' 'default_ca=authority' '[authority]' "database=$1/index.txt" "crlnumber=$1/crlnumber" \
            'unique_subject=no' 'default_md=sha256' 'crl_extensions=extensions' '[extensions]' 'authorityKeyIdentifier=keyid'
    )
    mv -f "$1/crl.pem.new" "$1/crl.pem"
    rm -f "$1"/*.old
}

# publish FILE: concatenates the files of all trusted authorities.
publish() {
    local authority parts=()
    for authority in "$CURRENT" "$NEXT" "$PREVIOUS"; do
        [[ ! -e $authority/$1 ]] || parts+=("$authority/$1")
    done
    cat "${parts[@]}" >"$PKI/$1.new"
    chmod 644 "$PKI/$1.new"
    mv -f "$PKI/$1.new" "$PKI/$1"
}

# renew_crls: makes new revocation lists of all trusted authorities.
renew_crls() {
    local authority
    for authority in "$CURRENT" "$NEXT" "$PREVIOUS"; do
        [[ ! -e $authority/ca.key ]] || make_crl "$authority"
    done
    publish crl.pem
}

# refresh_crls: renews revocation lists that would expire before a new certificate, because both are distributed together.
refresh_crls() {
    [[ -r $PKI/crl.pem ]] && openssl crl -in "$PKI/crl.pem" -noout -nextupdate >/dev/null 2>&1 &&
        (($(seconds_until "$(openssl crl -in "$PKI/crl.pem" -noout -nextupdate)") > DAYS * 86400)) || renew_crls
}

# seconds_until FIELD=DATE
seconds_until() {
    echo $(($(date -d "${1#*=}" +%s) - $(printf '%(%s)T')))
}

init() {
    (($# == 0)) || usage "init takes no names"
    [[ ! -e $PKI/ca.key && ! -e $PKI/ca.crt && ! -e $CURRENT ]] || fail "$PKI has an authority already"
    mkdir -p "$PKI"
    lock
    make_authority "$CURRENT"
    publish ca.crt
    renew_crls
    echo "$PKI/ca.crt"
}

crl() {
    (($# == 0)) || usage "crl takes no names"
    require_authority
    renew_crls
    bundle_all
    echo "$PKI/crl.pem"
}

rotate-ca() {
    (($# == 1)) || usage "rotate-ca needs a step: start, switch or finish"
    case $1 in
        start)
            require_authority
            [[ ! -e $NEXT && ! -e $PREVIOUS ]] || fail "a rotation has begun already; the next step is: rotate-ca $([[ -e $NEXT ]] && echo switch || echo finish)"
            make_authority "$NEXT"
            ;;
        switch)
            require_authority
            # Without a next authority, an interrupted switch is continued: certificates of the previous authority are reissued.
            if [[ -e $NEXT ]]; then
                mv "$CURRENT" "$PREVIOUS"
                mv "$NEXT" "$CURRENT"
            fi
            [[ -e $PREVIOUS ]] || fail "there is no next authority; the first step is: rotate-ca start"
            ;;
        finish)
            require_authority
            [[ -e $PREVIOUS ]] || fail "there is no previous authority; the steps are: start, switch, finish"
            local remaining
            remaining=$(issued_by_previous) || exit
            [[ -z $remaining ]] || fail "$(wc -l <<<"$remaining") certificates are still of the previous authority, $(head -n 1 <<<"$remaining") for one; run: rotate-ca switch"
            mkdir -p "$PKI/retired"
            mv "$PREVIOUS" "$PKI/retired/$(utc 0)"
            ;;
        *) usage "'$1' is not a step of rotate-ca: start, switch, finish" ;;
    esac
    publish ca.crt
    renew_crls
    if [[ $1 = switch ]]; then
        local remaining old
        remaining=$(issued_by_previous) || exit
        mapfile -t old < <(printf '%s' "$remaining")
        ((${#old[@]} == 0)) || reissue_all "${old[@]}" >/dev/null
    else
        bundle_all
    fi
    echo "distribute $PKI/ca.crt and $PKI/crl.pem, with hosts/*.tar and clients/*: to all of them, before the next step"
}

# issued_by_previous: prints the entries whose certificates were issued by the previous authority.
issued_by_previous() {
    local issuer
    issuer=$(openssl x509 -in "$PREVIOUS/ca.crt" -noout -issuer -nameopt oneline,-space_eq)
    { for entry in $(entries); do echo "$entry/tls.crt"; done; } | decode Issuer |
        awk -F '\t' -v issuer="${issuer##*CN=}" '{ sub(/.*CN ?= ?/, "", $1); sub("/tls.crt$", "", $2) } $1 == issuer { print $2 }'
}
