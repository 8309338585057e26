complete -c node-exporter -l collector.timeout -d 'Time limit of a collector in a scrape. [default: 5s]' -r
complete -c node-exporter -l web.config.file -d 'Web configuration file: TLS, client certificates, users, headers, rate limit.' -r
complete -c node-exporter -l web.listen-address -d 'Where to listen: host:port, :port or unix:/path. May be repeated.' -r
complete -c node-exporter -l log.format -d 'Format of the log: logfmt or json. [default: logfmt]' -r
complete -c node-exporter -l log.level -d 'Minimum level of log events: debug, info, warn or error. [default: info]' -r
complete -c node-exporter -l web.max-requests -d 'Maximum number of scrapes in progress; more get status 503. 0 means no limit. [default: 40]' -r
complete -c node-exporter -l web.telemetry-path -d 'The path of the metrics. [default: /metrics]' -r
complete -c node-exporter -l timeout-offset -d 'Seconds before the timeout of Prometheus at which a scrape has to be complete. [default: 0.25]' -r
complete -c node-exporter -l path.procfs -d 'Where procfs is mounted. [default: /proc]' -r
complete -c node-exporter -l path.sysfs -d 'Where sysfs is mounted. [default: /sys]' -r
complete -c node-exporter -l path.rootfs -d 'Where the root file system is mounted. [default: /]' -r
complete -c node-exporter -l path.udev.data -d 'Directory of udev\'s device database. [default: /run/udev/data]' -r
complete -c node-exporter -l collectors -d 'Which collectors: native (of Linux) or portable (of any system, with fewer metrics). [default: native]' -r
complete -c node-exporter -l collector.interfaces-include -d 'Network interfaces to expose in all collectors, and no others (pattern).' -r
complete -c node-exporter -l collector.interfaces-exclude -d 'Network interfaces to leave out of all collectors (pattern).' -r
complete -c node-exporter -l collector.mount-points-include -d 'Mount points to expose in all collectors, and no others (pattern).' -r
complete -c node-exporter -l collector.mount-points-exclude -d 'Mount points to leave out of all collectors (pattern).' -r
complete -c node-exporter -l collector.metrics-include -d 'Metrics of collectors to expose, and no others (pattern, matched with names).' -r
complete -c node-exporter -l collector.metrics-exclude -d 'Metrics of collectors to leave out (pattern, matched with names).' -r
complete -c node-exporter -l collector.max-series -d 'Maximum number of series of one collector; further ones are dropped and counted. 0 means no limit. [default: 0]' -r
complete -c node-exporter -l collector.arp.device-include -d 'Pattern of the devices whose entries are counted.' -r
complete -c node-exporter -l collector.arp.device-exclude -d 'Pattern of the devices to leave out.' -r
complete -c node-exporter -l collector.cgroup2.include -d 'Control groups to expose: a regular expression over paths such as /system.slice/cron.service.' -r
complete -c node-exporter -l collector.cgroup2.exclude -d 'Control groups to leave out: a regular expression over paths.' -r
complete -c node-exporter -l collector.cgroup2.depth -d 'Maximum depth of control groups. [default: 4]' -r
complete -c node-exporter -l collector.cgroup2.max -d 'Maximum number of control groups. Further ones are counted. [default: 500]' -r
complete -c node-exporter -l collector.cpu.info.flags-include -d 'Pattern of the CPU\'s flags to expose. Turns --collector.cpu.info on.' -r
complete -c node-exporter -l collector.cpu.info.bugs-include -d 'Pattern of the CPU\'s bugs to expose. Turns --collector.cpu.info on.' -r
complete -c node-exporter -l collector.diskstats.device-exclude -d 'Block devices to leave out (pattern); not together with device-include. [default: ^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$]' -r
complete -c node-exporter -l collector.diskstats.device-include -d 'Block devices to expose, and no others (pattern); not together with device-exclude.' -r
complete -c node-exporter -l collector.ethtool.device-include -d 'Devices to expose: a regular expression.' -r
complete -c node-exporter -l collector.ethtool.device-exclude -d 'Devices to leave out: a regular expression.' -r
complete -c node-exporter -l collector.ethtool.metrics-include -d 'Driver statistics to expose: a regular expression over their names, with `_` for each character that a metric cannot have. [default: .*]' -r
complete -c node-exporter -l collector.filesystem.mount-points-exclude -d 'Mount points to leave out (pattern); not together with mount-points-include. [default: ^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)]' -r
complete -c node-exporter -l collector.filesystem.mount-points-include -d 'Mount points to expose, and no others (pattern); not together with mount-points-exclude.' -r
complete -c node-exporter -l collector.filesystem.fs-types-exclude -d 'File system types to leave out (pattern); not together with fs-types-include. [default: ^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$]' -r
complete -c node-exporter -l collector.filesystem.fs-types-include -d 'File system types to expose, and no others (pattern); not together with fs-types-exclude.' -r
complete -c node-exporter -l collector.hwmon.chip-include -d 'Chips to expose, and no others (pattern).' -r
complete -c node-exporter -l collector.hwmon.chip-exclude -d 'Chips to leave out (pattern).' -r
complete -c node-exporter -l collector.hwmon.sensor-include -d 'Sensors to expose, and no others (pattern, matched with <chip>;<sensor>).' -r
complete -c node-exporter -l collector.hwmon.sensor-exclude -d 'Sensors to leave out, unread (pattern, matched with <chip>;<sensor>).' -r
complete -c node-exporter -l collector.infiniband.device-include -d 'Devices to expose, and no others (pattern).' -r
complete -c node-exporter -l collector.infiniband.device-exclude -d 'Devices to leave out (pattern).' -r
complete -c node-exporter -l collector.interrupts.name-include -d 'Pattern of the interrupts to expose, as `name;info;devices`.' -r
complete -c node-exporter -l collector.interrupts.name-exclude -d 'Pattern of the interrupts to leave out, as `name;info;devices`.' -r
complete -c node-exporter -l collector.ipvs.backend-labels -d 'Labels of backends, separated by commas; backends with equal labels are summed. [default: local_address,local_port,remote_address,remote_port,proto,local_mark]' -r
complete -c node-exporter -l collector.netclass.ignored-devices -d 'Pattern of the devices to leave out. [default: ^$]' -r
complete -c node-exporter -l collector.netdev.device-include -d 'Pattern of the devices to expose.' -r
complete -c node-exporter -l collector.netdev.device-exclude -d 'Pattern of the devices to leave out.' -r
complete -c node-exporter -l collector.netstat.fields -d 'Pattern of the statistics to expose, as Protocol_Name. [default: ^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$]' -r
complete -c node-exporter -l collector.ntp.server -d 'Address of the NTP server. [default: 127.0.0.1]' -r
complete -c node-exporter -l collector.ntp.server-port -d 'Its UDP port. [default: 123]' -r
complete -c node-exporter -l collector.ntp.protocol-version -d 'NTP version of the queries: 2, 3 or 4. [default: 4]' -r
complete -c node-exporter -l collector.ntp.ip-ttl -d 'How many routers a query may pass, plus one. [default: 1]' -r
complete -c node-exporter -l collector.ntp.max-distance -d 'How far from the reference clock the server may be and still be sane. [default: 3.46608s]' -r
complete -c node-exporter -l collector.ntp.local-offset-tolerance -d 'How far the server\'s clock may be from this machine\'s and still be sane. [default: 1ms]' -r
complete -c node-exporter -l collector.pcidevice.idsfile -d 'The file pci.ids; that of the distribution if empty.' -r
complete -c node-exporter -l collector.perf.cpus -d 'The CPUs to count on, such as 0-3,8 or 0-30:2; all if empty.' -r
complete -c node-exporter -l collector.perf.tracepoint -d 'A tracepoint to count, as subsystem:event.' -r
complete -c node-exporter -l collector.perf.hardware-profilers -d 'Without effect, as in node_exporter: all are counted.' -r
complete -c node-exporter -l collector.perf.software-profilers -d 'Without effect, as in node_exporter: all are counted.' -r
complete -c node-exporter -l collector.perf.cache-profilers -d 'Cache events to count, such as L1DataReadHit; all by default.' -r
complete -c node-exporter -l collector.powersupply.ignored-supplies -d 'Power supplies to leave out (pattern). [default: ^$]' -r
complete -c node-exporter -l collector.qdisc.fixtures -d 'For tests: a directory with results.json, to be read in place of the kernel\'s list.' -r
complete -c node-exporter -l collector.qdisc.device-include -d 'Interfaces to expose, and no others (pattern); not together with device-exclude.' -r
complete -c node-exporter -l collector.qdisc.device-exclude -d 'Interfaces to leave out (pattern); not together with device-include.' -r
complete -c node-exporter -l collector.runit.servicedir -d 'The directory of runit\'s services. [default: /etc/service]' -r
complete -c node-exporter -l collector.slabinfo.slabs-include -d 'Pattern of the caches to expose. [default: .*]' -r
complete -c node-exporter -l collector.slabinfo.slabs-exclude -d 'Pattern of the caches to leave out.' -r
complete -c node-exporter -l collector.supervisord.url -d 'Where supervisord answers XML-RPC: http:// or unix://. Also by $SUPERVISORD_URL. [default: http://localhost:9001/RPC2]' -r
complete -c node-exporter -l collector.sysctl.include -d 'A parameter with numbers, such as fs.file-nr or fs.file-nr:total,current,max.' -r
complete -c node-exporter -l collector.sysctl.include-info -d 'A parameter with words, exposed as labels of node_sysctl_info.' -r
complete -c node-exporter -l collector.systemd.unit-include -d 'Units to expose: a regular expression that matches the whole name. [default: .+]' -r
complete -c node-exporter -l collector.systemd.unit-exclude -d 'Units to leave out: a regular expression that matches the whole name. [default: .+\\.(automount|device|mount|scope|slice)]' -r
complete -c node-exporter -l collector.tapestats.ignored-devices -d 'Tape drives to leave out (pattern). [default: ^$]' -r
complete -c node-exporter -l collector.textfile.directory -d 'Directory of *.prom files with metrics; may be a pattern with *, ? and [...].' -r
complete -c node-exporter -l collector.vmstat.fields -d 'Pattern of the fields to expose. [default: ^(oom_kill|pgpg|pswp|pg.*fault).*]' -r
complete -c node-exporter -l collector.wifi.fixtures -d 'Directory of JSON files to read in place of the kernel\'s answers, for tests.' -r
complete -c node-exporter -l check -d 'Read all configuration, run each collector once, print the results, and exit.'
complete -c node-exporter -l no-check
complete -c node-exporter -l collector.disable-defaults -d 'Disable all collectors by default.'
complete -c node-exporter -l no-collector.disable-defaults
complete -c node-exporter -l web.disable-exporter-metrics -d 'Leave out the metrics about the exporter itself.'
complete -c node-exporter -l no-web.disable-exporter-metrics
complete -c node-exporter -l web.enable-lifecycle -d 'Allow POST /-/reload.'
complete -c node-exporter -l no-web.enable-lifecycle
complete -c node-exporter -l hash-password -d 'Ask for a password, print its hash for basic_auth_users, and exit.'
complete -c node-exporter -l no-hash-password
complete -c node-exporter -l web.openmetrics-created -d 'Write _created lines in OpenMetrics. Most servers store them as separate series.'
complete -c node-exporter -l no-web.openmetrics-created
complete -c node-exporter -l web.systemd-socket -d 'Listen on the sockets that systemd passes.'
complete -c node-exporter -l no-web.systemd-socket
complete -c node-exporter -l unit -d 'With --check: check in the environment of the systemd unit of this program. Needs root.'
complete -c node-exporter -l no-unit
complete -c node-exporter -l collector.arp -d 'Entries in the ARP table [default: on]'
complete -c node-exporter -l no-collector.arp
complete -c node-exporter -l collector.arp.netlink -d 'Use netlink instead of /proc/net/arp. [default: on]'
complete -c node-exporter -l no-collector.arp.netlink
complete -c node-exporter -l collector.bcache -d 'Caches of block devices (bcache) [default: on]'
complete -c node-exporter -l no-collector.bcache
complete -c node-exporter -l collector.bcache.priorityStats -d 'Expose the contents of the cache, for which the kernel sorts all buckets.'
complete -c node-exporter -l no-collector.bcache.priorityStats
complete -c node-exporter -l collector.bcachefs -d 'bcachefs file systems [default: on]'
complete -c node-exporter -l no-collector.bcachefs
complete -c node-exporter -l collector.bonding -d 'Slaves of bonding interfaces [default: on]'
complete -c node-exporter -l no-collector.bonding
complete -c node-exporter -l collector.btrfs -d 'Btrfs file systems [default: on]'
complete -c node-exporter -l no-collector.btrfs
complete -c node-exporter -l collector.buddyinfo -d 'Free memory blocks by size [default: off]'
complete -c node-exporter -l no-collector.buddyinfo
complete -c node-exporter -l collector.cgroup2 -d 'CPU, memory, I/O, tasks and pressure of control groups [default: off]'
complete -c node-exporter -l no-collector.cgroup2
complete -c node-exporter -l collector.cgroups -d 'Control groups by controller [default: off]'
complete -c node-exporter -l no-collector.cgroups
complete -c node-exporter -l collector.conntrack -d 'Connection tracking table [default: on]'
complete -c node-exporter -l no-collector.conntrack
complete -c node-exporter -l collector.cpu -d 'CPU time by mode, throttling, and CPU models [default: on]'
complete -c node-exporter -l no-collector.cpu
complete -c node-exporter -l collector.cpu.guest -d 'Expose the time of guests (VMs) as well. [default: on]'
complete -c node-exporter -l no-collector.cpu.guest
complete -c node-exporter -l collector.cpu.aggregate -d 'Expose the sums over all CPUs, without the label cpu; no throttling of cores.'
complete -c node-exporter -l no-collector.cpu.aggregate
complete -c node-exporter -l collector.cpu.info -d 'Expose the properties of each CPU in /proc/cpuinfo.'
complete -c node-exporter -l no-collector.cpu.info
complete -c node-exporter -l collector.cpu_vulnerabilities -d 'CPU vulnerabilities and their mitigations [default: off]'
complete -c node-exporter -l no-collector.cpu_vulnerabilities
complete -c node-exporter -l collector.cpufreq -d 'CPU frequencies and governors [default: on]'
complete -c node-exporter -l no-collector.cpufreq
complete -c node-exporter -l collector.diskstats -d 'Block device I/O [default: on]'
complete -c node-exporter -l no-collector.diskstats
complete -c node-exporter -l collector.dmi -d 'Names and versions of the hardware and its firmware [default: on]'
complete -c node-exporter -l no-collector.dmi
complete -c node-exporter -l collector.dmmultipath -d 'Multipath devices [default: on]'
complete -c node-exporter -l no-collector.dmmultipath
complete -c node-exporter -l collector.drbd -d 'DRBD devices [default: off]'
complete -c node-exporter -l no-collector.drbd
complete -c node-exporter -l collector.drm -d 'AMD graphics cards [default: off]'
complete -c node-exporter -l no-collector.drm
complete -c node-exporter -l collector.edac -d 'Memory errors [default: on]'
complete -c node-exporter -l no-collector.edac
complete -c node-exporter -l collector.entropy -d 'Entropy of the random number generator [default: on]'
complete -c node-exporter -l no-collector.entropy
complete -c node-exporter -l collector.ethtool -d 'Link modes, drivers and driver statistics of network devices [default: off]'
complete -c node-exporter -l no-collector.ethtool
complete -c node-exporter -l collector.fibrechannel -d 'Fibre Channel host adapters [default: on]'
complete -c node-exporter -l no-collector.fibrechannel
complete -c node-exporter -l collector.filefd -d 'File handles [default: on]'
complete -c node-exporter -l no-collector.filefd
complete -c node-exporter -l collector.filesystem -d 'File system space [default: on]'
complete -c node-exporter -l no-collector.filesystem
complete -c node-exporter -l collector.hwmon -d 'Hardware sensors: temperatures, voltages, fans [default: on]'
complete -c node-exporter -l no-collector.hwmon
complete -c node-exporter -l collector.infiniband -d 'InfiniBand and RoCE ports [default: on]'
complete -c node-exporter -l no-collector.infiniband
complete -c node-exporter -l collector.interrupts -d 'Interrupts by CPU [default: off]'
complete -c node-exporter -l no-collector.interrupts
complete -c node-exporter -l collector.interrupts.include-zeros -d 'Expose counts of 0 as well. [default: on]'
complete -c node-exporter -l no-collector.interrupts.include-zeros
complete -c node-exporter -l collector.interrupts.aggregate -d 'Expose the sum over all CPUs, without the label cpu.'
complete -c node-exporter -l no-collector.interrupts.aggregate
complete -c node-exporter -l collector.ipvs -d 'IP Virtual Server [default: on]'
complete -c node-exporter -l no-collector.ipvs
complete -c node-exporter -l collector.kernel_hung -d 'Tasks that hang in the kernel [default: on]'
complete -c node-exporter -l no-collector.kernel_hung
complete -c node-exporter -l collector.ksmd -d 'Kernel samepage merging [default: off]'
complete -c node-exporter -l no-collector.ksmd
complete -c node-exporter -l collector.lnstat -d 'Statistics of network caches by CPU [default: off]'
complete -c node-exporter -l no-collector.lnstat
complete -c node-exporter -l collector.loadavg -d 'Load averages [default: on]'
complete -c node-exporter -l no-collector.loadavg
complete -c node-exporter -l collector.logind -d 'Login sessions [default: off]'
complete -c node-exporter -l no-collector.logind
complete -c node-exporter -l collector.mdadm -d 'Software RAID arrays [default: on]'
complete -c node-exporter -l no-collector.mdadm
complete -c node-exporter -l collector.meminfo -d 'Memory use [default: on]'
complete -c node-exporter -l no-collector.meminfo
complete -c node-exporter -l collector.meminfo_numa -d 'Memory use by NUMA node [default: off]'
complete -c node-exporter -l no-collector.meminfo_numa
complete -c node-exporter -l collector.mountstats -d 'NFS mounts [default: off]'
complete -c node-exporter -l no-collector.mountstats
complete -c node-exporter -l collector.netclass -d 'Settings and state of network interfaces [default: on]'
complete -c node-exporter -l no-collector.netclass
complete -c node-exporter -l collector.netclass.ignore-invalid-speed -d 'Leave out negative speeds, which mean that the speed is unknown.'
complete -c node-exporter -l no-collector.netclass.ignore-invalid-speed
complete -c node-exporter -l collector.netclass.netlink -d 'Use netlink instead of /sys/class/net.'
complete -c node-exporter -l no-collector.netclass.netlink
complete -c node-exporter -l collector.netclass_rtnl.with-stats -d 'With netlink, also expose the counters of each device, in place of netdev.'
complete -c node-exporter -l no-collector.netclass_rtnl.with-stats
complete -c node-exporter -l collector.netdev -d 'Network interface traffic and errors [default: on]'
complete -c node-exporter -l no-collector.netdev
complete -c node-exporter -l collector.netdev.address-info -d 'Expose the addresses of each device.'
complete -c node-exporter -l no-collector.netdev.address-info
complete -c node-exporter -l collector.netdev.enable-detailed-metrics -d 'Expose all counters of the kernel under names of their own, not the sums of /proc/net/dev.'
complete -c node-exporter -l no-collector.netdev.enable-detailed-metrics
complete -c node-exporter -l collector.netdev.netlink -d 'Ask over netlink, not /proc/net/dev. [default: on]'
complete -c node-exporter -l no-collector.netdev.netlink
complete -c node-exporter -l collector.netdev.label-ifalias -d 'Add the alias of each device.'
complete -c node-exporter -l no-collector.netdev.label-ifalias
complete -c node-exporter -l collector.netstat -d 'Network protocol statistics [default: on]'
complete -c node-exporter -l no-collector.netstat
complete -c node-exporter -l collector.network_route -d 'Routes [default: off]'
complete -c node-exporter -l no-collector.network_route
complete -c node-exporter -l collector.nfs -d 'NFS client [default: on]'
complete -c node-exporter -l no-collector.nfs
complete -c node-exporter -l collector.nfsd -d 'NFS server [default: on]'
complete -c node-exporter -l no-collector.nfsd
complete -c node-exporter -l collector.ntp -d 'Time of the local NTP server [default: off]'
complete -c node-exporter -l no-collector.ntp
complete -c node-exporter -l collector.ntp.server-is-local -d 'Treat the server as local, whatever its address.'
complete -c node-exporter -l no-collector.ntp.server-is-local
complete -c node-exporter -l collector.nvme -d 'NVMe controllers and namespaces [default: on]'
complete -c node-exporter -l no-collector.nvme
complete -c node-exporter -l collector.nvmesubsystem -d 'NVMe subsystems and their paths [default: off]'
complete -c node-exporter -l no-collector.nvmesubsystem
complete -c node-exporter -l collector.os -d 'Name and version of the operating system [default: on]'
complete -c node-exporter -l no-collector.os
complete -c node-exporter -l collector.pcidevice -d 'PCI devices [default: off]'
complete -c node-exporter -l no-collector.pcidevice
complete -c node-exporter -l collector.pcidevice.names -d 'Expose the names of vendors, devices and classes as well, from pci.ids.'
complete -c node-exporter -l no-collector.pcidevice.names
complete -c node-exporter -l collector.perf -d 'Performance counters of the CPUs [default: off]'
complete -c node-exporter -l no-collector.perf
complete -c node-exporter -l collector.perf.disable-hardware-profilers -d 'Leave out the hardware counters of the CPUs.'
complete -c node-exporter -l no-collector.perf.disable-hardware-profilers
complete -c node-exporter -l collector.perf.disable-software-profilers -d 'Leave out the software counters of the kernel.'
complete -c node-exporter -l no-collector.perf.disable-software-profilers
complete -c node-exporter -l collector.perf.disable-cache-profilers -d 'Leave out the cache counters of the CPUs.'
complete -c node-exporter -l no-collector.perf.disable-cache-profilers
complete -c node-exporter -l collector.powersupplyclass -d 'Batteries and other power supplies [default: on]'
complete -c node-exporter -l no-collector.powersupplyclass
complete -c node-exporter -l collector.pressure -d 'Pressure stall information [default: on]'
complete -c node-exporter -l no-collector.pressure
complete -c node-exporter -l collector.processes -d 'Processes and threads by state [default: off]'
complete -c node-exporter -l no-collector.processes
complete -c node-exporter -l collector.qdisc -d 'Queueing disciplines [default: off]'
complete -c node-exporter -l no-collector.qdisc
complete -c node-exporter -l collector.rapl -d 'Energy used by the processor (needs root) [default: on]'
complete -c node-exporter -l no-collector.rapl
complete -c node-exporter -l collector.rapl.enable-zone-label -d 'Expose one family with the zone in a label, not a family for each zone.'
complete -c node-exporter -l no-collector.rapl.enable-zone-label
complete -c node-exporter -l collector.runit -d 'Services under runit [default: off]'
complete -c node-exporter -l no-collector.runit
complete -c node-exporter -l collector.schedstat -d 'Run and wait times of the scheduler [default: on]'
complete -c node-exporter -l no-collector.schedstat
complete -c node-exporter -l collector.selinux -d 'State of SELinux [default: on]'
complete -c node-exporter -l no-collector.selinux
complete -c node-exporter -l collector.slabinfo -d 'Slab allocator caches [default: off]'
complete -c node-exporter -l no-collector.slabinfo
complete -c node-exporter -l collector.sockstat -d 'Sockets by protocol [default: on]'
complete -c node-exporter -l no-collector.sockstat
complete -c node-exporter -l collector.softirqs -d 'Soft interrupts by CPU [default: off]'
complete -c node-exporter -l no-collector.softirqs
complete -c node-exporter -l collector.softnet -d 'Packet processing by CPU [default: on]'
complete -c node-exporter -l no-collector.softnet
complete -c node-exporter -l collector.stat -d 'Boot time, interrupts, context switches, forks [default: on]'
complete -c node-exporter -l no-collector.stat
complete -c node-exporter -l collector.stat.softirq -d 'Expose softirqs by vector as well.'
complete -c node-exporter -l no-collector.stat.softirq
complete -c node-exporter -l collector.supervisord -d 'Processes under supervisord [default: off]'
complete -c node-exporter -l no-collector.supervisord
complete -c node-exporter -l collector.swap -d 'Swap areas [default: off]'
complete -c node-exporter -l no-collector.swap
complete -c node-exporter -l collector.sysctl -d 'Kernel parameters (sysctl) as chosen [default: off]'
complete -c node-exporter -l no-collector.sysctl
complete -c node-exporter -l collector.systemd -d 'State of systemd and its units [default: off]'
complete -c node-exporter -l no-collector.systemd
complete -c node-exporter -l collector.systemd.enable-task-metrics -d 'Expose the number of tasks of each service and its limit.'
complete -c node-exporter -l no-collector.systemd.enable-task-metrics
complete -c node-exporter -l collector.systemd.enable-restarts-metrics -d 'Expose how often each service was restarted.'
complete -c node-exporter -l no-collector.systemd.enable-restarts-metrics
complete -c node-exporter -l collector.systemd.enable-start-time-metrics -d 'Expose when each unit became active.'
complete -c node-exporter -l no-collector.systemd.enable-start-time-metrics
complete -c node-exporter -l collector.tapestats -d 'Tape drives [default: on]'
complete -c node-exporter -l no-collector.tapestats
complete -c node-exporter -l collector.tcpstat -d 'TCP sockets by state [default: off]'
complete -c node-exporter -l no-collector.tcpstat
complete -c node-exporter -l collector.textfile -d 'Metrics from files that other programs write [default: on]'
complete -c node-exporter -l no-collector.textfile
complete -c node-exporter -l collector.thermal_zone -d 'Thermal zones and cooling devices [default: on]'
complete -c node-exporter -l no-collector.thermal_zone
complete -c node-exporter -l collector.time -d 'Time, time zone and clock sources [default: on]'
complete -c node-exporter -l no-collector.time
complete -c node-exporter -l collector.timex -d 'Synchronisation of the kernel clock [default: on]'
complete -c node-exporter -l no-collector.timex
complete -c node-exporter -l collector.udp_queues -d 'Memory in the queues of UDP sockets [default: on]'
complete -c node-exporter -l no-collector.udp_queues
complete -c node-exporter -l collector.uname -d 'Names of the kernel and the machine [default: on]'
complete -c node-exporter -l no-collector.uname
complete -c node-exporter -l collector.vmstat -d 'Virtual memory events [default: on]'
complete -c node-exporter -l no-collector.vmstat
complete -c node-exporter -l collector.watchdog -d 'Watchdog timers [default: on]'
complete -c node-exporter -l no-collector.watchdog
complete -c node-exporter -l collector.wifi -d 'Wireless interfaces and their peers [default: off]'
complete -c node-exporter -l no-collector.wifi
complete -c node-exporter -l collector.xfrm -d 'Packets dropped by IPsec [default: off]'
complete -c node-exporter -l no-collector.xfrm
complete -c node-exporter -l collector.xfs -d 'XFS file systems [default: on]'
complete -c node-exporter -l no-collector.xfs
complete -c node-exporter -l collector.zfs -d 'ZFS caches, pools and datasets [default: on]'
complete -c node-exporter -l no-collector.zfs
complete -c node-exporter -l collector.zoneinfo -d 'Memory zones [default: off]'
complete -c node-exporter -l no-collector.zoneinfo
complete -c node-exporter -s h -l help -d 'Print help'
complete -c node-exporter -s V -l version -d 'Print version'
