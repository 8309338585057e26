_mysql__exporter() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="mysql__exporter"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        mysql__exporter)
            opts="-h -V --check --no-check --web.config.file --collector.disable-defaults --no-collector.disable-defaults --web.disable-exporter-metrics --no-web.disable-exporter-metrics --web.enable-lifecycle --no-web.enable-lifecycle --hash-password --no-hash-password --web.listen-address --log.format --log.level --web.max-requests --web.openmetrics-created --no-web.openmetrics-created --web.systemd-socket --no-web.systemd-socket --web.telemetry-path --timeout-offset --unit --no-unit --mysqld.address --probe.allow-target --collector.timeout --exporter.max_open_connections --exporter.connection-lifetime --exporter.enable_lock_wait_timeout --no-exporter.enable_lock_wait_timeout --exporter.fresh-login --no-exporter.fresh-login --exporter.lock_wait_timeout --exporter.log_slow_filter --no-exporter.log_slow_filter --config.my-cnf --config.queries --exporter.query_timeout --tls.insecure-skip-verify --no-tls.insecure-skip-verify --config.targets --mysqld.username --collect.auto_increment.columns --no-collect.auto_increment.columns --collect.binlog_gtid --no-collect.binlog_gtid --collect.binlog_size --no-collect.binlog_size --collect.engine_innodb_status --no-collect.engine_innodb_status --collect.engine_tokudb_status --no-collect.engine_tokudb_status --collect.galera --no-collect.galera --collect.global_status --no-collect.global_status --collect.global_variables --no-collect.global_variables --collect.heartbeat --no-collect.heartbeat --collect.heartbeat.database --collect.heartbeat.table --collect.heartbeat.utc --no-collect.heartbeat.utc --collect.info_schema.clientstats --no-collect.info_schema.clientstats --collect.info_schema.innodb_cmp --no-collect.info_schema.innodb_cmp --collect.info_schema.innodb_cmpmem --no-collect.info_schema.innodb_cmpmem --collect.info_schema.innodb_metrics --no-collect.info_schema.innodb_metrics --collect.info_schema.innodb_tablespaces --no-collect.info_schema.innodb_tablespaces --collect.info_schema.innodb_trx --no-collect.info_schema.innodb_trx --collect.info_schema.innodb_trx.long --collect.info_schema.plugins --no-collect.info_schema.plugins --collect.info_schema.processlist --no-collect.info_schema.processlist --collect.info_schema.processlist.min_time --collect.info_schema.processlist.processes_by_user --no-collect.info_schema.processlist.processes_by_user --collect.info_schema.processlist.processes_by_host --no-collect.info_schema.processlist.processes_by_host --collect.info_schema.query_response_time --no-collect.info_schema.query_response_time --collect.info_schema.replica_host --no-collect.info_schema.replica_host --collect.info_schema.rocksdb_perf_context --no-collect.info_schema.rocksdb_perf_context --collect.info_schema.schemastats --no-collect.info_schema.schemastats --collect.info_schema.tables --no-collect.info_schema.tables --collect.info_schema.tables.databases --collect.info_schema.tablestats --no-collect.info_schema.tablestats --collect.info_schema.userstats --no-collect.info_schema.userstats --collect.innodb_log --no-collect.innodb_log --collect.mysql.accounts --no-collect.mysql.accounts --collect.mysql.accounts.limit --collect.mysql.user --no-collect.mysql.user --collect.mysql.user.privileges --no-collect.mysql.user.privileges --collect.perf_schema.data_lock_waits --no-collect.perf_schema.data_lock_waits --collect.perf_schema.data_lock_waits.limit --collect.perf_schema.eventsstatements --no-collect.perf_schema.eventsstatements --collect.perf_schema.eventsstatements.limit --collect.perf_schema.eventsstatements.timelimit --collect.perf_schema.eventsstatements.digest_text_limit --collect.perf_schema.eventsstatements.exclude_schemas --collect.perf_schema.eventsstatements_by_account --no-collect.perf_schema.eventsstatements_by_account --collect.perf_schema.eventsstatements_by_account.limit --collect.perf_schema.eventsstatements_histogram --no-collect.perf_schema.eventsstatements_histogram --collect.perf_schema.eventsstatementssum --no-collect.perf_schema.eventsstatementssum --collect.perf_schema.eventswaits --no-collect.perf_schema.eventswaits --collect.perf_schema.file_events --no-collect.perf_schema.file_events --collect.perf_schema.file_instances --no-collect.perf_schema.file_instances --collect.perf_schema.file_instances.filter --collect.perf_schema.file_instances.remove_prefix --collect.perf_schema.indexiowaits --no-collect.perf_schema.indexiowaits --collect.perf_schema.memory_events --no-collect.perf_schema.memory_events --collect.perf_schema.memory_events.remove_prefix --collect.perf_schema.metadata_locks --no-collect.perf_schema.metadata_locks --collect.perf_schema.metadata_locks.limit --collect.perf_schema.replication_applier_status_by_worker --no-collect.perf_schema.replication_applier_status_by_worker --collect.perf_schema.replication_group_member_stats --no-collect.perf_schema.replication_group_member_stats --collect.perf_schema.replication_group_members --no-collect.perf_schema.replication_group_members --collect.perf_schema.tableiowaits --no-collect.perf_schema.tableiowaits --collect.perf_schema.tablelocks --no-collect.perf_schema.tablelocks --collect.rds --no-collect.rds --collect.replica --no-collect.replica --collect.semi_sync --no-collect.semi_sync --collect.slave_hosts --no-collect.slave_hosts --collect.slave_status --no-collect.slave_status --collect.sys.user_summary --no-collect.sys.user_summary --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --web.config.file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.listen-address)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.max-requests)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.telemetry-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout-offset)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mysqld.address)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --probe.allow-target)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exporter.max_open_connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exporter.connection-lifetime)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exporter.lock_wait_timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config.my-cnf)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config.queries)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exporter.query_timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config.targets)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mysqld.username)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.heartbeat.database)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.heartbeat.table)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.info_schema.innodb_trx.long)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.info_schema.processlist.min_time)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.info_schema.tables.databases)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.mysql.accounts.limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.perf_schema.data_lock_waits.limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.perf_schema.eventsstatements.limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.perf_schema.eventsstatements.timelimit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.perf_schema.eventsstatements.digest_text_limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.perf_schema.eventsstatements.exclude_schemas)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.perf_schema.eventsstatements_by_account.limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.perf_schema.file_instances.filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.perf_schema.file_instances.remove_prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.perf_schema.memory_events.remove_prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collect.perf_schema.metadata_locks.limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _mysql__exporter -o nosort -o bashdefault -o default mysql-exporter
else
    complete -F _mysql__exporter -o bashdefault -o default mysql-exporter
fi
