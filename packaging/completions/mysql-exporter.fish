complete -c mysql-exporter -l web.config.file -d 'Web configuration file: TLS, client certificates, users, headers, rate limit.' -r
complete -c mysql-exporter -l web.listen-address -d 'Where to listen: host:port, :port or unix:/path. May be repeated.' -r
complete -c mysql-exporter -l log.format -d 'Format of the log: logfmt or json. [default: logfmt]' -r
complete -c mysql-exporter -l log.level -d 'Minimum level of log events: debug, info, warn or error. [default: info]' -r
complete -c mysql-exporter -l web.max-requests -d 'Maximum number of scrapes in progress; more get status 503. 0 means no limit. [default: 40]' -r
complete -c mysql-exporter -l web.telemetry-path -d 'The path of the metrics. [default: /metrics]' -r
complete -c mysql-exporter -l timeout-offset -d 'Seconds before the timeout of Prometheus at which a scrape has to be complete. [default: 0.25]' -r
complete -c mysql-exporter -l mysqld.address -d 'The server, if the option file has none: host:port or unix:///path. [default: localhost:3306]' -r
complete -c mysql-exporter -l probe.allow-target -d 'A target that /probe allows in addition to the configured servers: NAME:PORT with * as a wildcard, NETWORK/BITS:PORT, unix:///PATH, or * for all. May be repeated.' -r
complete -c mysql-exporter -l collector.timeout -d 'Time limit of a collector in a scrape, such as 5s. Default: that of the scrape.' -r
complete -c mysql-exporter -l exporter.max_open_connections -d 'Maximum number of connections to one server. [default: 2]' -r
complete -c mysql-exporter -l exporter.connection-lifetime -d 'Seconds after which a connection is replaced by a new one; at least 1. [default: 60]' -r
complete -c mysql-exporter -l exporter.lock_wait_timeout -d 'Seconds that a statement may wait for a metadata lock. [default: 2]' -r
complete -c mysql-exporter -l config.my-cnf -d 'Option file with the users: [client], and a section for each auth_module of /probe. [default: .my.cnf]' -r
complete -c mysql-exporter -l config.queries -d 'File of custom queries, whose results are exposed as metrics. They run in read-only transactions.' -r
complete -c mysql-exporter -l exporter.query_timeout -d 'Seconds after which the server ends a statement; 0 is the time limit of a collector. [default: 0]' -r
complete -c mysql-exporter -l config.targets -d 'File of targets that /probe allows, in the format of file_sd; /sd serves them.' -r
complete -c mysql-exporter -l mysqld.username -d 'User, if the option file has none. The password is in MYSQLD_EXPORTER_PASSWORD.' -r
complete -c mysql-exporter -l collect.heartbeat.database -d 'The database of the heartbeats. [default: heartbeat]' -r
complete -c mysql-exporter -l collect.heartbeat.table -d 'The table of the heartbeats. [default: heartbeat]' -r
complete -c mysql-exporter -l collect.info_schema.innodb_trx.long -d 'Seconds after which an open transaction counts as long. [default: 60]' -r
complete -c mysql-exporter -l collect.info_schema.processlist.min_time -d 'Minimum time in seconds that a counted connection has been in its state. [default: 0]' -r
complete -c mysql-exporter -l collect.info_schema.tables.databases -d 'Databases whose tables are exposed, separated by commas; * means all except those of the server. [default: *]' -r
complete -c mysql-exporter -l collect.mysql.accounts.limit -d 'Maximum number of accounts, in the order of their names. [default: 500]' -r
complete -c mysql-exporter -l collect.perf_schema.data_lock_waits.limit -d 'Maximum number of tables: those with the most waiting transactions. [default: 50]' -r
complete -c mysql-exporter -l collect.perf_schema.eventsstatements.limit -d 'Maximum number of digests: those that took the most time. [default: 250]' -r
complete -c mysql-exporter -l collect.perf_schema.eventsstatements.timelimit -d 'Maximum time in seconds since a digest was last seen; older ones are excluded. [default: 86400]' -r
complete -c mysql-exporter -l collect.perf_schema.eventsstatements.digest_text_limit -d 'Maximum length of the text of a statement in characters. [default: 120]' -r
complete -c mysql-exporter -l collect.perf_schema.eventsstatements.exclude_schemas -d 'A schema whose statements are excluded, in addition to those of the server. May be repeated.' -r
complete -c mysql-exporter -l collect.perf_schema.eventsstatements_by_account.limit -d 'Maximum number of accounts (user and host): those whose statements took the most time. [default: 100]' -r
complete -c mysql-exporter -l collect.perf_schema.file_instances.filter -d 'Files to expose: a regular expression in the server\'s syntax, matched with file names. [default: .*]' -r
complete -c mysql-exporter -l collect.perf_schema.file_instances.remove_prefix -d 'Prefix to remove from file names. [default: /var/lib/mysql/]' -r
complete -c mysql-exporter -l collect.perf_schema.memory_events.remove_prefix -d 'Prefix to remove from event names. [default: memory/]' -r
complete -c mysql-exporter -l collect.perf_schema.metadata_locks.limit -d 'Maximum number of objects: those with the most waiting statements. [default: 50]' -r
complete -c mysql-exporter -l check -d 'Read all configuration, run each collector once, print the results, and exit.'
complete -c mysql-exporter -l no-check
complete -c mysql-exporter -l collector.disable-defaults -d 'Disable all collectors by default.'
complete -c mysql-exporter -l no-collector.disable-defaults
complete -c mysql-exporter -l web.disable-exporter-metrics -d 'Leave out the metrics about the exporter itself.'
complete -c mysql-exporter -l no-web.disable-exporter-metrics
complete -c mysql-exporter -l web.enable-lifecycle -d 'Allow POST /-/reload.'
complete -c mysql-exporter -l no-web.enable-lifecycle
complete -c mysql-exporter -l hash-password -d 'Ask for a password, print its hash for basic_auth_users, and exit.'
complete -c mysql-exporter -l no-hash-password
complete -c mysql-exporter -l web.openmetrics-created -d 'Write _created lines in OpenMetrics. Most servers store them as separate series.'
complete -c mysql-exporter -l no-web.openmetrics-created
complete -c mysql-exporter -l web.systemd-socket -d 'Listen on the sockets that systemd passes.'
complete -c mysql-exporter -l no-web.systemd-socket
complete -c mysql-exporter -l unit -d 'With --check: check in the environment of the systemd unit of this program. Needs root.'
complete -c mysql-exporter -l no-unit
complete -c mysql-exporter -l exporter.enable_lock_wait_timeout -d 'Limit the time that statements wait for metadata locks. [default: on]'
complete -c mysql-exporter -l no-exporter.enable_lock_wait_timeout
complete -c mysql-exporter -l exporter.fresh-login -d 'Log in for each scrape, instead of once a minute.'
complete -c mysql-exporter -l no-exporter.fresh-login
complete -c mysql-exporter -l exporter.log_slow_filter -d 'Exclude scrapes from the slow query log. MariaDB and Percona only.'
complete -c mysql-exporter -l no-exporter.log_slow_filter
complete -c mysql-exporter -l tls.insecure-skip-verify -d 'Do not verify the certificates of servers.'
complete -c mysql-exporter -l no-tls.insecure-skip-verify
complete -c mysql-exporter -l collect.auto_increment.columns -d 'Next and maximum values of auto-increment columns [default: off]'
complete -c mysql-exporter -l no-collect.auto_increment.columns
complete -c mysql-exporter -l collect.binlog_gtid -d 'Sizes and positions of GTID sets [default: off]'
complete -c mysql-exporter -l no-collect.binlog_gtid
complete -c mysql-exporter -l collect.binlog_size -d 'Number and size of the binary logs [default: off]'
complete -c mysql-exporter -l no-collect.binlog_size
complete -c mysql-exporter -l collect.engine_innodb_status -d 'Queries and read views inside InnoDB [default: off]'
complete -c mysql-exporter -l no-collect.engine_innodb_status
complete -c mysql-exporter -l collect.engine_tokudb_status -d 'Nothing: no supported server has the TokuDB engine [default: off]'
complete -c mysql-exporter -l no-collect.engine_tokudb_status
complete -c mysql-exporter -l collect.galera -d 'State of a Galera node and of its cluster [default: off]'
complete -c mysql-exporter -l no-collect.galera
complete -c mysql-exporter -l collect.global_status -d 'Status variables of the server [default: on]'
complete -c mysql-exporter -l no-collect.global_status
complete -c mysql-exporter -l collect.global_variables -d 'System variables of the server [default: on]'
complete -c mysql-exporter -l no-collect.global_variables
complete -c mysql-exporter -l collect.heartbeat -d 'Replication delay, by a heartbeat in a table [default: off]'
complete -c mysql-exporter -l no-collect.heartbeat
complete -c mysql-exporter -l collect.heartbeat.utc -d 'The heartbeats are in UTC, not in the server\'s time zone.'
complete -c mysql-exporter -l no-collect.heartbeat.utc
complete -c mysql-exporter -l collect.info_schema.clientstats -d 'User statistics by client, on MariaDB and Percona Server with userstat=1 [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.clientstats
complete -c mysql-exporter -l collect.info_schema.innodb_cmp -d 'Compression of InnoDB pages [default: on]'
complete -c mysql-exporter -l no-collect.info_schema.innodb_cmp
complete -c mysql-exporter -l collect.info_schema.innodb_cmpmem -d 'Compressed pages in the InnoDB buffer pool [default: on]'
complete -c mysql-exporter -l no-collect.info_schema.innodb_cmpmem
complete -c mysql-exporter -l collect.info_schema.innodb_metrics -d 'Counters of InnoDB that are enabled [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.innodb_metrics
complete -c mysql-exporter -l collect.info_schema.innodb_tablespaces -d 'Sizes of InnoDB\'s tablespaces [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.innodb_tablespaces
complete -c mysql-exporter -l collect.info_schema.innodb_trx -d 'Open InnoDB transactions [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.innodb_trx
complete -c mysql-exporter -l collect.info_schema.plugins -d 'Plugins of the server [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.plugins
complete -c mysql-exporter -l collect.info_schema.processlist -d 'Connections by command, state, user and host [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.processlist
complete -c mysql-exporter -l collect.info_schema.processlist.processes_by_user -d 'Count connections by user. [default: on]'
complete -c mysql-exporter -l no-collect.info_schema.processlist.processes_by_user
complete -c mysql-exporter -l collect.info_schema.processlist.processes_by_host -d 'Count connections by host. [default: on]'
complete -c mysql-exporter -l no-collect.info_schema.processlist.processes_by_host
complete -c mysql-exporter -l collect.info_schema.query_response_time -d 'Histogram of response times, if a plugin measures them [default: on]'
complete -c mysql-exporter -l no-collect.info_schema.query_response_time
complete -c mysql-exporter -l collect.info_schema.replica_host -d 'Load and lag of the instances of an Aurora cluster [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.replica_host
complete -c mysql-exporter -l collect.info_schema.rocksdb_perf_context -d 'Counters of the MyRocks engine, by table [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.rocksdb_perf_context
complete -c mysql-exporter -l collect.info_schema.schemastats -d 'Use of schemas, on MariaDB and Percona Server with userstat=1 [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.schemastats
complete -c mysql-exporter -l collect.info_schema.tables -d 'Rows and sizes of tables [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.tables
complete -c mysql-exporter -l collect.info_schema.tablestats -d 'Use of tables, on MariaDB and Percona Server with userstat=1 [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.tablestats
complete -c mysql-exporter -l collect.info_schema.userstats -d 'User statistics by user, on MariaDB and Percona Server with userstat=1 [default: off]'
complete -c mysql-exporter -l no-collect.info_schema.userstats
complete -c mysql-exporter -l collect.innodb_log -d 'History list length and checkpoint age of InnoDB [default: off]'
complete -c mysql-exporter -l no-collect.innodb_log
complete -c mysql-exporter -l collect.mysql.accounts -d 'Password expiry, locks and TLS of accounts [default: off]'
complete -c mysql-exporter -l no-collect.mysql.accounts
complete -c mysql-exporter -l collect.mysql.user -d 'Limits and privileges of accounts [default: off]'
complete -c mysql-exporter -l no-collect.mysql.user
complete -c mysql-exporter -l collect.mysql.user.privileges -d 'Expose the global privileges of each account.'
complete -c mysql-exporter -l no-collect.mysql.user.privileges
complete -c mysql-exporter -l collect.perf_schema.data_lock_waits -d 'Transactions that wait for row locks [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.data_lock_waits
complete -c mysql-exporter -l collect.perf_schema.eventsstatements -d 'The statements that take the most time, by digest [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.eventsstatements
complete -c mysql-exporter -l collect.perf_schema.eventsstatements_by_account -d 'Statements by account, for the accounts that take the most time [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.eventsstatements_by_account
complete -c mysql-exporter -l collect.perf_schema.eventsstatements_histogram -d 'Latency of statements, as a histogram [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.eventsstatements_histogram
complete -c mysql-exporter -l collect.perf_schema.eventsstatementssum -d 'Statements of all digests together [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.eventsstatementssum
complete -c mysql-exporter -l collect.perf_schema.eventswaits -d 'Waits of the server, by event [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.eventswaits
complete -c mysql-exporter -l collect.perf_schema.file_events -d 'File I/O of the server, by event [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.file_events
complete -c mysql-exporter -l collect.perf_schema.file_instances -d 'File I/O of the server, by file [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.file_instances
complete -c mysql-exporter -l collect.perf_schema.indexiowaits -d 'Waits for the storage of indexes, by operation [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.indexiowaits
complete -c mysql-exporter -l collect.perf_schema.memory_events -d 'Memory of the server, by purpose [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.memory_events
complete -c mysql-exporter -l collect.perf_schema.metadata_locks -d 'Metadata locks and waits for them [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.metadata_locks
complete -c mysql-exporter -l collect.perf_schema.replication_applier_status_by_worker -d 'Times of the transactions that replication workers apply [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.replication_applier_status_by_worker
complete -c mysql-exporter -l collect.perf_schema.replication_group_member_stats -d 'Transactions of this member of the replication group [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.replication_group_member_stats
complete -c mysql-exporter -l collect.perf_schema.replication_group_members -d 'Members of the replication group and their states [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.replication_group_members
complete -c mysql-exporter -l collect.perf_schema.tableiowaits -d 'Waits for the tables\' storage, by operation [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.tableiowaits
complete -c mysql-exporter -l collect.perf_schema.tablelocks -d 'Waits for table locks, by kind of lock [default: off]'
complete -c mysql-exporter -l no-collect.perf_schema.tablelocks
complete -c mysql-exporter -l collect.rds -d 'Version, role and settings of Amazon RDS and Aurora [default: off]'
complete -c mysql-exporter -l no-collect.rds
complete -c mysql-exporter -l collect.replica -d 'Lag of a replica, and the state of its workers [default: off]'
complete -c mysql-exporter -l no-collect.replica
complete -c mysql-exporter -l collect.semi_sync -d 'Semi-synchronous replication, on sources and replicas [default: off]'
complete -c mysql-exporter -l no-collect.semi_sync
complete -c mysql-exporter -l collect.slave_hosts -d 'Replicas that are registered with this server [default: off]'
complete -c mysql-exporter -l no-collect.slave_hosts
complete -c mysql-exporter -l collect.slave_status -d 'Replication status of a replica [default: on]'
complete -c mysql-exporter -l no-collect.slave_status
complete -c mysql-exporter -l collect.sys.user_summary -d 'Statements, I/O, connections and memory of each user [default: off]'
complete -c mysql-exporter -l no-collect.sys.user_summary
complete -c mysql-exporter -s h -l help -d 'Print help'
complete -c mysql-exporter -s V -l version -d 'Print version'
