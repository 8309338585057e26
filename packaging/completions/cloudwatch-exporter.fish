complete -c cloudwatch-exporter -l collector.timeout -d 'Time limit of a collector in a scrape. [default: 5s]' -r
complete -c cloudwatch-exporter -l web.config.file -d 'Web configuration file: TLS, client certificates, users, headers, rate limit.' -r
complete -c cloudwatch-exporter -l web.listen-address -d 'Where to listen: host:port, :port or unix:/path. May be repeated.' -r
complete -c cloudwatch-exporter -l log.format -d 'Format of the log: logfmt or json. [default: logfmt]' -r
complete -c cloudwatch-exporter -l log.level -d 'Minimum level of log events: debug, info, warn or error. [default: info]' -r
complete -c cloudwatch-exporter -l web.max-requests -d 'Maximum number of scrapes in progress; more get status 503. 0 means no limit. [default: 40]' -r
complete -c cloudwatch-exporter -l web.telemetry-path -d 'The path of the metrics. [default: /metrics]' -r
complete -c cloudwatch-exporter -l timeout-offset -d 'Seconds before the timeout of Prometheus at which a scrape has to be complete. [default: 0.25]' -r
complete -c cloudwatch-exporter -l config.file -d 'Configuration file, in the format of the Java exporter: YAML or JSON. [default: config.yml]' -r
complete -c cloudwatch-exporter -l config.unknown-keys -d 'How unknown or duplicate keys of the configuration file and unknown statistics are handled: refuse, or warn to ignore them with a warning. The Java exporter ignores them. [default: refuse]' -r
complete -c cloudwatch-exporter -l cloudwatch.concurrency -d 'Maximum number of concurrent calls for each target; AWS throttles clients with many. [default: 8]' -r
complete -c cloudwatch-exporter -l plan -d 'Print the estimated cost of this configuration file per month and rule, and exit. Lists metrics, which costs next to nothing, and requests no datapoints.' -r
complete -c cloudwatch-exporter -l plan.sets -d 'For --plan: assume this many dimension sets for each metric that would have to be listed, and send no requests to AWS.' -r
complete -c cloudwatch-exporter -l plan.scrape-interval -d 'For --plan: interval between scrapes. Metrics that are scraped less often than their period cost less. [default: 60s]' -r
complete -c cloudwatch-exporter -l plan.format -d 'For --plan: text or json. [default: text]' -r
complete -c cloudwatch-exporter -l convert -d 'Print this configuration file of yet-another-cloudwatch-exporter (YACE) as one for this exporter, and exit. Comments at the top name what was not converted.' -r
complete -c cloudwatch-exporter -l check -d 'Read all configuration, run each collector once, print the results, and exit.'
complete -c cloudwatch-exporter -l no-check
complete -c cloudwatch-exporter -l collector.disable-defaults -d 'Disable all collectors by default.'
complete -c cloudwatch-exporter -l no-collector.disable-defaults
complete -c cloudwatch-exporter -l web.disable-exporter-metrics -d 'Leave out the metrics about the exporter itself.'
complete -c cloudwatch-exporter -l no-web.disable-exporter-metrics
complete -c cloudwatch-exporter -l web.enable-lifecycle -d 'Allow POST /-/reload.'
complete -c cloudwatch-exporter -l no-web.enable-lifecycle
complete -c cloudwatch-exporter -l hash-password -d 'Ask for a password, print its hash for basic_auth_users, and exit.'
complete -c cloudwatch-exporter -l no-hash-password
complete -c cloudwatch-exporter -l web.openmetrics-created -d 'Write _created lines in OpenMetrics. Most servers store them as separate series.'
complete -c cloudwatch-exporter -l no-web.openmetrics-created
complete -c cloudwatch-exporter -l web.systemd-socket -d 'Listen on the sockets that systemd passes.'
complete -c cloudwatch-exporter -l no-web.systemd-socket
complete -c cloudwatch-exporter -l unit -d 'With --check: check in the environment of the systemd unit of this program. Needs root.'
complete -c cloudwatch-exporter -l no-unit
complete -c cloudwatch-exporter -l demo -d 'Use a simulated CloudWatch with invented resources instead of AWS, for the given configuration file or for an example.'
complete -c cloudwatch-exporter -l no-demo
complete -c cloudwatch-exporter -l collector.cloudwatch -d 'The metrics of the configuration file [default: on]'
complete -c cloudwatch-exporter -l no-collector.cloudwatch
complete -c cloudwatch-exporter -s h -l help -d 'Print help'
complete -c cloudwatch-exporter -s V -l version -d 'Print version'
