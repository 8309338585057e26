#!/usr/bin/env python3
"""The Prometheus examples: promtool accepts the jobs and the rules, the rules fire when they should, and every metric in them is exposed.

promtool is taken from $PROMTOOL or the PATH; skipped with a message where there is none.
"""
import os, pathlib, re, shutil, subprocess, sys, tempfile, unittest

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / 'prometheus'
GUIDE = EXAMPLES.parents[1] / 'docs/operations.md'
RULES = [EXAMPLES / f'{name}.yml' for name in ('alerts', 'mysql', 'cloudwatch')]
PROMTOOL = shutil.which(os.environ.get('PROMTOOL') or 'promtool')


def setUpModule():
    missing = 'no promtool in $PROMTOOL or the PATH' if not PROMTOOL else None if shutil.which('openssl') else 'openssl is not installed'
    if missing:
        print(f'SKIPPED: the Prometheus examples: {missing}', file=sys.stderr, flush=True)
        raise unittest.SkipTest(missing)


class Examples(unittest.TestCase):
    def promtool(self, *arguments):
        result = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def lacks_consul(self, folder):
        config = pathlib.Path(folder, 'consul.yml')
        config.write_text('scrape_configs: [{job_name: x, consul_sd_configs: [{server: "localhost:8500"}]}]')
        result = subprocess.run([PROMTOOL, 'check', 'config', config], capture_output=True, text=True)
        return 'consul_sd_configs not found' in result.stdout + result.stderr

    def test_promtool_accepts_the_scrape_configurations(self):
        for job in ('static.yml', 'file_sd.yml', 'ec2_sd.yml', 'http_sd.yml', 'dns_sd.yml', 'consul_sd.yml', 'mysql_targets.yml', 'agent.yml'):
            # promtool also checks the files that the configuration refers to.
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x',
                                '-keyout', f'{folder}/tls.key', '-out', f'{folder}/tls.crt'], capture_output=True, check=True)
                tls = pathlib.Path(folder, 'tls')
                tls.mkdir()
                for name, source in (('ca.crt', 'tls.crt'), ('tls.crt', 'tls.crt'), ('tls.key', 'tls.key')):
                    shutil.copy(f'{folder}/{source}', tls / name)
                pathlib.Path(folder, 'node-exporter.password').write_text('secret')
                shutil.copy(EXAMPLES / job, folder)
                if job == 'consul_sd.yml' and self.lacks_consul(folder):
                    print('SKIPPED: consul_sd.yml: this promtool is built without Consul', file=sys.stderr, flush=True)
                    continue
                self.promtool('check', 'config', f'{folder}/{job}')

    def test_promtool_accepts_the_remote_write_examples_of_the_guide(self):
        blocks = re.findall(r'```yaml\n(remote_write:\n.*?)```', GUIDE.read_text(), re.S)
        self.assertEqual(len(blocks), 3)
        for block in blocks:
            with tempfile.TemporaryDirectory() as folder:
                pathlib.Path(folder, 'prometheus.yml').write_text(block)
                pathlib.Path(folder, 'mimir.password').write_text('secret')
                self.promtool('check', 'config', '--agent', f'{folder}/prometheus.yml')

    def test_rules_fire_when_they_should(self):
        for rules in RULES:
            self.promtool('check', 'rules', '--lint=all', '--lint-fatal', rules)
            self.promtool('test', 'rules', rules.with_name(f'{rules.stem}_test.yml'))

    def test_every_alert_on_mysql_and_cloudwatch_is_tested(self):
        for name in ('mysql', 'cloudwatch'):
            alerts = set(re.findall(r'- alert: (\w+)', (EXAMPLES / f'{name}.yml').read_text()))
            self.assertEqual(alerts, set(re.findall(r'alertname: (\w+)', (EXAMPLES / f'{name}_test.yml').read_text())))

    def test_every_alert_has_a_summary_a_description_and_a_severity(self):
        text = ''.join(rules.read_text() for rules in RULES)
        for rule in re.split(r'\n      - alert: ', text)[1:]:
            self.assertRegex(rule, r'summary: .*\$labels\.instance', rule.splitlines()[0])
            self.assertRegex(rule, r'description: .+', rule.splitlines()[0])
            self.assertRegex(rule, r'severity: (critical|warning|info)', rule.splitlines()[0])

    def test_every_metric_of_an_alert_is_exposed(self):
        project = EXAMPLES.parents[1]
        # The reference is generated from the collectors; the metrics of the exporters themselves are in the source of exporter-core.
        declared = re.findall(r'^\| `(node_[^`]+)`', (project / 'docs/metrics/node.md').read_text(), re.MULTILINE)
        declared += ['node_scrape_collector_success', 'process_start_time_seconds', 'up']
        for source in (project / 'exporter-core/src').rglob('*.rs'):
            declared += re.findall(r'"(exporter_[a-z_]+)"', source.read_text())
        patterns = [re.compile('^' + re.sub(r'<[^>]*>', '.+', name) + '$') for name in declared]
        used = set()
        for expression in re.findall(r'^        expr: (.+(?:\n          .+)*)', (EXAMPLES / 'alerts.yml').read_text(), re.MULTILINE):
            used |= set(re.findall(r'\b(?:node|exporter|process)_\w+', expression))
        self.assertGreater(len(used), 20)
        self.assertEqual([name for name in sorted(used) if not any(pattern.match(name) for pattern in patterns)], [])


if __name__ == '__main__':
    unittest.main()
