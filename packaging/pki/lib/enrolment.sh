# Commands for the enrolment of hosts: tokens, renewal certificates and the server.

# renewal NAME: issues a renewal certificate for the key of the host. Only `serve` runs this command, and only `serve` accepts the certificate.
renewal() {
    (($# == 1)) || usage "renewal needs one name"
    find_entry host "$1"
    require_authority
    local days
    limit_days
    [[ -e $RENEWAL/ca.key ]] || make_authority "$RENEWAL"
    openssl_quietly x509 -req -in "$PKI/$entry/csr" -subj "/CN=$1" -CA "$RENEWAL/ca.crt" -CAkey "$RENEWAL/ca.key" \
        -set_serial "0x4$(openssl rand -hex 15)" -sha256 -days "$days" -out "$PKI/$entry/renewal.crt.new" -extfile <(
            printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' 'extendedKeyUsage=clientAuth' "subjectAltName=DNS:$1"
        )
    mv -f "$PKI/$entry/renewal.crt.new" "$PKI/$entry/renewal.crt"
}

# token: the name of a token's file is the hash of the token; the file contains the expiry time and the names of the host.
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
    require_authority
    fingerprint=$(openssl dgst -sha256 -r "$PKI/ca.crt")
    fingerprint=${fingerprint%% *}
    if [[ ${words[*]} = --ec2 ]]; then
        echo "ec2.$fingerprint"
        return
    fi
    check_common_name "${words[0]}"
    list=$(subject_alt_names "${words[@]}") || exit
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
        require_authority
        [[ -e $RENEWAL/ca.key ]] || make_authority "$RENEWAL"
        # Release the lock: the commands that the server runs take it themselves.
        exec 9>&-
    fi
    command -v python3 >/dev/null || fail "serve needs python3"
    export PKI EXPORTER_PKI
    EXPORTER_PKI=$(readlink -f "$0")
    # -B: compiled files would not be removed with the package.
    exec python3 -B "$library/serve" "$@"
}
