_node__exporter() {
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
                cmd="node__exporter"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        node__exporter)
            opts="-h -V --check --no-check --collector.timeout --web.config.file --collector.disable-defaults --no-collector.disable-defaults --web.disable-exporter-metrics --no-web.disable-exporter-metrics --web.enable-lifecycle --no-web.enable-lifecycle --runtime.gomaxprocs --hash-password --no-hash-password --web.listen-address --log.format --log.level --web.max-requests --web.openmetrics-created --no-web.openmetrics-created --web.systemd-socket --no-web.systemd-socket --web.telemetry-path --timeout-offset --unit --no-unit --path.procfs --path.sysfs --path.rootfs --path.udev.data --collectors --collector.interfaces-include --collector.interfaces-exclude --collector.mount-points-include --collector.mount-points-exclude --collector.metrics-include --collector.metrics-exclude --collector.max-series --collector.arp --no-collector.arp --collector.arp.interval --collector.arp.device-include --collector.arp.device-exclude --collector.arp.netlink --no-collector.arp.netlink --collector.bcache --no-collector.bcache --collector.bcache.interval --collector.bcache.priorityStats --no-collector.bcache.priorityStats --collector.bcachefs --no-collector.bcachefs --collector.bcachefs.interval --collector.bonding --no-collector.bonding --collector.bonding.interval --collector.btrfs --no-collector.btrfs --collector.btrfs.interval --collector.buddyinfo --no-collector.buddyinfo --collector.buddyinfo.interval --collector.cgroup2 --no-collector.cgroup2 --collector.cgroup2.interval --collector.cgroup2.include --collector.cgroup2.exclude --collector.cgroup2.depth --collector.cgroup2.max --collector.cgroups --no-collector.cgroups --collector.cgroups.interval --collector.conntrack --no-collector.conntrack --collector.conntrack.interval --collector.cpu --no-collector.cpu --collector.cpu.interval --collector.cpu.guest --no-collector.cpu.guest --collector.cpu.aggregate --no-collector.cpu.aggregate --collector.cpu.info --no-collector.cpu.info --collector.cpu.info.flags-include --collector.cpu.info.bugs-include --collector.cpu_vulnerabilities --no-collector.cpu_vulnerabilities --collector.cpu_vulnerabilities.interval --collector.cpufreq --no-collector.cpufreq --collector.cpufreq.interval --collector.diskstats --no-collector.diskstats --collector.diskstats.interval --collector.diskstats.device-exclude --collector.diskstats.device-include --collector.diskstats.ignored-devices --collector.dmi --no-collector.dmi --collector.dmi.interval --collector.dmmultipath --no-collector.dmmultipath --collector.dmmultipath.interval --collector.drbd --no-collector.drbd --collector.drbd.interval --collector.drm --no-collector.drm --collector.drm.interval --collector.edac --no-collector.edac --collector.edac.interval --collector.entropy --no-collector.entropy --collector.entropy.interval --collector.ethtool --no-collector.ethtool --collector.ethtool.interval --collector.ethtool.device-include --collector.ethtool.device-exclude --collector.ethtool.metrics-include --collector.fibrechannel --no-collector.fibrechannel --collector.fibrechannel.interval --collector.filefd --no-collector.filefd --collector.filefd.interval --collector.filesystem --no-collector.filesystem --collector.filesystem.interval --collector.filesystem.mount-points-exclude --collector.filesystem.mount-points-include --collector.filesystem.fs-types-exclude --collector.filesystem.fs-types-include --collector.filesystem.ignored-mount-points --collector.filesystem.ignored-fs-types --collector.filesystem.mount-timeout --collector.filesystem.stat-workers --collector.hwmon --no-collector.hwmon --collector.hwmon.interval --collector.hwmon.chip-include --collector.hwmon.chip-exclude --collector.hwmon.sensor-include --collector.hwmon.sensor-exclude --collector.infiniband --no-collector.infiniband --collector.infiniband.interval --collector.infiniband.device-include --collector.infiniband.device-exclude --collector.interrupts --no-collector.interrupts --collector.interrupts.interval --collector.interrupts.name-include --collector.interrupts.name-exclude --collector.interrupts.include-zeros --no-collector.interrupts.include-zeros --collector.interrupts.aggregate --no-collector.interrupts.aggregate --collector.ipvs --no-collector.ipvs --collector.ipvs.interval --collector.ipvs.backend-labels --collector.kernel_hung --no-collector.kernel_hung --collector.kernel_hung.interval --collector.ksmd --no-collector.ksmd --collector.ksmd.interval --collector.lnstat --no-collector.lnstat --collector.lnstat.interval --collector.loadavg --no-collector.loadavg --collector.loadavg.interval --collector.logind --no-collector.logind --collector.logind.interval --collector.mdadm --no-collector.mdadm --collector.mdadm.interval --collector.meminfo --no-collector.meminfo --collector.meminfo.interval --collector.meminfo_numa --no-collector.meminfo_numa --collector.meminfo_numa.interval --collector.mountstats --no-collector.mountstats --collector.mountstats.interval --collector.netclass --no-collector.netclass --collector.netclass.interval --collector.netclass.ignored-devices --collector.netclass.ignore-invalid-speed --no-collector.netclass.ignore-invalid-speed --collector.netclass.netlink --no-collector.netclass.netlink --collector.netclass_rtnl.with-stats --no-collector.netclass_rtnl.with-stats --collector.netdev --no-collector.netdev --collector.netdev.interval --collector.netdev.device-include --collector.netdev.device-exclude --collector.netdev.device-whitelist --collector.netdev.device-blacklist --collector.netdev.address-info --no-collector.netdev.address-info --collector.netdev.enable-detailed-metrics --no-collector.netdev.enable-detailed-metrics --collector.netdev.netlink --no-collector.netdev.netlink --collector.netdev.label-ifalias --no-collector.netdev.label-ifalias --collector.netstat --no-collector.netstat --collector.netstat.interval --collector.netstat.fields --collector.network_route --no-collector.network_route --collector.network_route.interval --collector.nfs --no-collector.nfs --collector.nfs.interval --collector.nfsd --no-collector.nfsd --collector.nfsd.interval --collector.ntp --no-collector.ntp --collector.ntp.interval --collector.ntp.server --collector.ntp.server-port --collector.ntp.protocol-version --collector.ntp.server-is-local --no-collector.ntp.server-is-local --collector.ntp.ip-ttl --collector.ntp.max-distance --collector.ntp.local-offset-tolerance --collector.nvme --no-collector.nvme --collector.nvme.interval --collector.nvmesubsystem --no-collector.nvmesubsystem --collector.nvmesubsystem.interval --collector.os --no-collector.os --collector.os.interval --collector.pcidevice --no-collector.pcidevice --collector.pcidevice.interval --collector.pcidevice.names --no-collector.pcidevice.names --collector.pcidevice.idsfile --collector.perf --no-collector.perf --collector.perf.interval --collector.perf.cpus --collector.perf.tracepoint --collector.perf.disable-hardware-profilers --no-collector.perf.disable-hardware-profilers --collector.perf.hardware-profilers --collector.perf.disable-software-profilers --no-collector.perf.disable-software-profilers --collector.perf.software-profilers --collector.perf.disable-cache-profilers --no-collector.perf.disable-cache-profilers --collector.perf.cache-profilers --collector.powersupplyclass --no-collector.powersupplyclass --collector.powersupplyclass.interval --collector.powersupply.ignored-supplies --collector.pressure --no-collector.pressure --collector.pressure.interval --collector.processes --no-collector.processes --collector.processes.interval --collector.qdisc --no-collector.qdisc --collector.qdisc.interval --collector.qdisc.fixtures --collector.qdisc.device-include --collector.qdisc.device-exclude --collector.qdisk.device-include --collector.qdisk.device-exclude --collector.rapl --no-collector.rapl --collector.rapl.interval --collector.rapl.enable-zone-label --no-collector.rapl.enable-zone-label --collector.runit --no-collector.runit --collector.runit.interval --collector.runit.servicedir --collector.schedstat --no-collector.schedstat --collector.schedstat.interval --collector.selinux --no-collector.selinux --collector.selinux.interval --collector.slabinfo --no-collector.slabinfo --collector.slabinfo.interval --collector.slabinfo.slabs-include --collector.slabinfo.slabs-exclude --collector.sockstat --no-collector.sockstat --collector.sockstat.interval --collector.softirqs --no-collector.softirqs --collector.softirqs.interval --collector.softnet --no-collector.softnet --collector.softnet.interval --collector.stat --no-collector.stat --collector.stat.interval --collector.stat.softirq --no-collector.stat.softirq --collector.supervisord --no-collector.supervisord --collector.supervisord.interval --collector.supervisord.url --collector.swap --no-collector.swap --collector.swap.interval --collector.sysctl --no-collector.sysctl --collector.sysctl.interval --collector.sysctl.include --collector.sysctl.include-info --collector.systemd --no-collector.systemd --collector.systemd.interval --collector.systemd.unit-include --collector.systemd.unit-whitelist --collector.systemd.unit-exclude --collector.systemd.unit-blacklist --collector.systemd.private --no-collector.systemd.private --collector.systemd.enable-task-metrics --no-collector.systemd.enable-task-metrics --collector.systemd.enable-restarts-metrics --no-collector.systemd.enable-restarts-metrics --collector.systemd.enable-start-time-metrics --no-collector.systemd.enable-start-time-metrics --collector.tapestats --no-collector.tapestats --collector.tapestats.interval --collector.tapestats.ignored-devices --collector.tcpstat --no-collector.tcpstat --collector.tcpstat.interval --collector.textfile --no-collector.textfile --collector.textfile.interval --collector.textfile.directory --collector.thermal_zone --no-collector.thermal_zone --collector.thermal_zone.interval --collector.time --no-collector.time --collector.time.interval --collector.timex --no-collector.timex --collector.timex.interval --collector.udp_queues --no-collector.udp_queues --collector.udp_queues.interval --collector.uname --no-collector.uname --collector.uname.interval --collector.vmstat --no-collector.vmstat --collector.vmstat.interval --collector.vmstat.fields --collector.watchdog --no-collector.watchdog --collector.watchdog.interval --collector.wifi --no-collector.wifi --collector.wifi.interval --collector.wifi.fixtures --collector.xfrm --no-collector.xfrm --collector.xfrm.interval --collector.xfs --no-collector.xfs --collector.xfs.interval --collector.zfs --no-collector.zfs --collector.zfs.interval --collector.zoneinfo --no-collector.zoneinfo --collector.zoneinfo.interval --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --collector.timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.config.file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --runtime.gomaxprocs)
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
                --path.procfs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --path.sysfs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --path.rootfs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --path.udev.data)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collectors)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.interfaces-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.interfaces-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.mount-points-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.mount-points-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.metrics-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.metrics-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.max-series)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.arp.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.arp.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.arp.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.bcache.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.bcachefs.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.bonding.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.btrfs.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.buddyinfo.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cgroup2.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cgroup2.include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cgroup2.exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cgroup2.depth)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cgroup2.max)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cgroups.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.conntrack.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cpu.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cpu.info.flags-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cpu.info.bugs-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cpu_vulnerabilities.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.cpufreq.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.diskstats.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.diskstats.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.diskstats.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.diskstats.ignored-devices)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.dmi.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.dmmultipath.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.drbd.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.drm.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.edac.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.entropy.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ethtool.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ethtool.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ethtool.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ethtool.metrics-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.fibrechannel.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filefd.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.mount-points-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.mount-points-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.fs-types-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.fs-types-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.ignored-mount-points)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.ignored-fs-types)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.mount-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.filesystem.stat-workers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.hwmon.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.hwmon.chip-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.hwmon.chip-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.hwmon.sensor-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.hwmon.sensor-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.infiniband.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.infiniband.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.infiniband.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.interrupts.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.interrupts.name-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.interrupts.name-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ipvs.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ipvs.backend-labels)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.kernel_hung.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ksmd.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.lnstat.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.loadavg.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.logind.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.mdadm.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.meminfo.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.meminfo_numa.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.mountstats.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netclass.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netclass.ignored-devices)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netdev.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netdev.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netdev.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netdev.device-whitelist)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netdev.device-blacklist)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netstat.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.netstat.fields)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.network_route.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.nfs.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.nfsd.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.server)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.server-port)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.protocol-version)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.ip-ttl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.max-distance)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.ntp.local-offset-tolerance)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.nvme.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.nvmesubsystem.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.os.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.pcidevice.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.pcidevice.idsfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.cpus)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.tracepoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.hardware-profilers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.software-profilers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.perf.cache-profilers)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.powersupplyclass.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.powersupply.ignored-supplies)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.pressure.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.processes.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.qdisc.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.qdisc.fixtures)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.qdisc.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.qdisc.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.qdisk.device-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.qdisk.device-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.rapl.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.runit.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.runit.servicedir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.schedstat.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.selinux.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.slabinfo.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.slabinfo.slabs-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.slabinfo.slabs-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.sockstat.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.softirqs.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.softnet.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.stat.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.supervisord.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.supervisord.url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.swap.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.sysctl.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.sysctl.include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.sysctl.include-info)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.systemd.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.systemd.unit-include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.systemd.unit-whitelist)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.systemd.unit-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.systemd.unit-blacklist)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.tapestats.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.tapestats.ignored-devices)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.tcpstat.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.textfile.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.textfile.directory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.thermal_zone.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.time.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.timex.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.udp_queues.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.uname.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.vmstat.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.vmstat.fields)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.watchdog.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.wifi.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.wifi.fixtures)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.xfrm.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.xfs.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.zfs.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --collector.zoneinfo.interval)
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
    complete -F _node__exporter -o nosort -o bashdefault -o default node-exporter
else
    complete -F _node__exporter -o bashdefault -o default node-exporter
fi
