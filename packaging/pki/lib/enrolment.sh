# What `exporter-enrol` and the server need: tokens, and certificates for renewals.

# renewal NAME: a certificate for the same key that is only accepted by `serve`; for its use.
renewal() {
    (($# == 1)) || usage "renewal needs one name"
    existing host "$1"
    need_authority
    local days
    allowed_days
    [[ -e $RENEWAL/ca.key ]] || make_authority "$RENEWAL"
    openssl_quietly x509 -req -in "$PKI/$entry/csr" -subj "/CN=$1" -CA "$RENEWAL/ca.crt" -CAkey "$RENEWAL/ca.key" \
        -set_serial "0x4$(openssl rand -hex 15)" -sha256 -days "$days" -out "$PKI/$entry/renewal.crt.new" -extfile <(
            printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' 'extendedKeyUsage=clientAuth' "subjectAltName=DNS:$1"
        )
    mv -f "$PKI/$entry/renewal.crt.new" "$PKI/$entry/renewal.crt"
}

# token: the file of a token is called by its hash, and contains the time of its expiry and the names of the host.
token() {
    local words=() within=1h list secret seconds fingerprint
    while (($#)); do
        case $1 in
            --within) (($# >= 2)) || usage "--within needs a duration"; within=$2; shift ;;
            --within=*) within=${1#--within=} ;;
            *) words+=("$1") ;;
        esac
        shift
    done
    [[ $within =~ ^[1-9][0-9]{0,4}[mhd]$ ]] || usage "'$within' is not a duration such as 30m, 1h or 2d"
    ((${#words[@]})) || usage "token needs a name"
    need_authority
    fingerprint=$(openssl dgst -sha256 -r "$PKI/ca.crt")
    fingerprint=${fingerprint%% *}
    if [[ ${words[*]} = --ec2 ]]; then
        echo "ec2.$fingerprint"
        return
    fi
    own_name "${words[0]}"
    list=$(names "${words[@]}") || exit
    [[ ! -e $PKI/hosts/${words[0]}/tls.crt ]] || fail "${words[0]} is enrolled already; to enrol it again: exporter-pki revoke host ${words[0]}"
    case $within in
        *m) seconds=$((${within%m} * 60)) ;;
        *h) seconds=$((${within%h} * 3600)) ;;
        *d) seconds=$((${within%d} * 86400)) ;;
    esac
    secret=$(openssl rand -hex 16)
    mkdir -p "$PKI/tokens"
    find "$PKI/tokens" -type f -mtime +366 -delete
    echo "$(($(printf '%(%s)T') + seconds)) ${words[*]}" >"$PKI/tokens/$(printf %s "$secret" | openssl dgst -sha256 -r | cut -d ' ' -f 1)"
    echo "$secret.$fingerprint"
}

serve() {
    if [[ " $* " != *" --help "* ]]; then
        need_authority
        [[ -e $RENEWAL/ca.key ]] || make_authority "$RENEWAL"
        # The server's commands take the lock themselves.
        exec 9>&-
    fi
    command -v python3 >/dev/null || fail "serve needs python3"
    export PKI EXPORTER_PKI
    EXPORTER_PKI=$(readlink -f "$0")
    # A compiled copy would remain after a removal.
    exec python3 -B "$library/serve" "$@"
}
