# The expiry dates of certificates and revocation lists.

# certificates: prints the paths of all certificates, relative to $PKI.
certificates() {
    local authority entry
    for authority in "$CURRENT" "$NEXT" "$PREVIOUS"; do
        [[ ! -e $authority ]] || echo "${authority#"$PKI"/}/ca.crt"
    done
    [[ -e $CURRENT ]] || echo ca.crt
    for entry in $(entries); do
        echo "$entry/tls.crt"
    done
}

# decode FIELD: reads paths relative to $PKI; prints the field of each certificate, a tab, and the path. One openssl process decodes them all.
decode() {
    local paths values path
    mapfile -t paths
    ((${#paths[@]})) || return 0
    mapfile -t values < <(awk 1 "${paths[@]/#/$PKI/}" | openssl storeutl -noout -text -certs /dev/stdin 2>/dev/null | sed -n "s/^ *$1 *: *//p")
    if ((${#paths[@]} != ${#values[@]})); then
        for path in "${paths[@]}"; do
            openssl x509 -in "$PKI/$path" -noout 2>/dev/null || fail "$PKI/$path is not a certificate"
        done
        fail "a file in $PKI has more than one certificate"
    fi
    paste <(printf '%s\n' "${values[@]}") <(printf '%s\n' "${paths[@]}")
}

# days_left: prints the remaining days and the path of each certificate and revocation list, the soonest first. Days are rounded down: -1 means that it expired
# within the last day.
days_left() {
    local dates
    dates=$(certificates | decode 'Not After') || return
    [[ ! -e $PKI/crl.pem ]] || dates+=$'\n'$(openssl crl -in "$PKI/crl.pem" -noout -nextupdate | cut -d = -f 2)$'\tcrl.pem'
    paste -d ' ' <(cut -f 1 <<<"$dates" | date -f - +%s) <(cut -f 2 <<<"$dates") |
        awk -v now="$(printf '%(%s)T')" '{ left = $1 - now; print int((left - (left < 0 ? 86399 : 0)) / 86400), $2 }' | sort -n
}

list() {
    (($# <= 1)) || usage "list takes at most a number of days"
    local within=${1:-} rows days path found=0
    within=${within%d}
    [[ -z $within ]] || is_number "$within" || usage "'$within' is not a number of days"
    [[ -r $PKI/ca.crt ]] || fail "there is no authority in $PKI; make one with: exporter-pki init"
    rows=$(days_left) || exit
    while read -r days path; do
        [[ -z $within ]] || ((days < within)) || continue
        found=1
        if ((days < 0)); then
            printf '%s  expired %d days ago\n' "$PKI/$path" $((-days))
        else
            printf '%s  %d days left\n' "$PKI/$path" "$days"
        fi
    done <<<"$rows"
    [[ -z $within || $found = 0 ]]
}
