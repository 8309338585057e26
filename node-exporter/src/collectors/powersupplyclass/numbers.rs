//! The numeric attributes of power supplies.

use exporter_core::desc::Desc;

use crate::attributes::{Attributes, Values, attribute};

pub(super) type Numbers = Values<49>;

const SUPPLY: [&str; 1] = ["power_supply"];

pub(super) static NUMBERS: Attributes<1, 49> = Attributes([
    attribute(
        "authentic",
        Desc::gauge(
            "node_power_supply_authentic",
            "Whether the battery is an authentic one.",
            SUPPLY,
        ),
    ),
    attribute(
        "calibrate",
        Desc::gauge(
            "node_power_supply_calibrate",
            "Whether the battery is being calibrated.",
            SUPPLY,
        ),
    ),
    attribute(
        "capacity",
        Desc::gauge("node_power_supply_capacity", "How full the battery is, in percent.", SUPPLY),
    ),
    attribute(
        "capacity_alert_max",
        Desc::gauge(
            "node_power_supply_capacity_alert_max",
            "Percentage above which there is an alert.",
            SUPPLY,
        ),
    ),
    attribute(
        "capacity_alert_min",
        Desc::gauge(
            "node_power_supply_capacity_alert_min",
            "Percentage below which there is an alert.",
            SUPPLY,
        ),
    ),
    attribute(
        "cycle_count",
        Desc::gauge(
            "node_power_supply_cyclecount",
            "Times the battery was charged and discharged.",
            SUPPLY,
        ),
    ),
    attribute(
        "online",
        Desc::gauge("node_power_supply_online", "Whether the supply provides power.", SUPPLY),
    ),
    attribute(
        "present",
        Desc::gauge("node_power_supply_present", "Whether the battery is there.", SUPPLY),
    ),
    attribute(
        "time_to_empty_now",
        Desc::gauge(
            "node_power_supply_time_to_empty_seconds",
            "Seconds until the battery is empty.",
            SUPPLY,
        ),
    ),
    attribute(
        "time_to_full_now",
        Desc::gauge(
            "node_power_supply_time_to_full_seconds",
            "Seconds until the battery is full.",
            SUPPLY,
        ),
    ),
    attribute(
        "current_boot",
        Desc::gauge("node_power_supply_current_boot", "Current at boot, in amperes.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "current_max",
        Desc::gauge("node_power_supply_current_max", "Largest current, in amperes.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "current_now",
        Desc::gauge("node_power_supply_current_ampere", "Current now, in amperes.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "voltage_boot",
        Desc::gauge("node_power_supply_voltage_boot", "Voltage at boot, in volts.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "voltage_max",
        Desc::gauge("node_power_supply_voltage_max", "Largest voltage, in volts.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "voltage_max_design",
        Desc::gauge(
            "node_power_supply_voltage_max_design",
            "Largest voltage by design, in volts.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "voltage_min",
        Desc::gauge("node_power_supply_voltage_min", "Smallest voltage, in volts.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "voltage_min_design",
        Desc::gauge(
            "node_power_supply_voltage_min_design",
            "Smallest voltage by design, in volts.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "voltage_now",
        Desc::gauge("node_power_supply_voltage_volt", "Voltage now, in volts.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "voltage_ocv",
        Desc::gauge("node_power_supply_voltage_ocv", "Voltage without load, in volts.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "charge_control_limit",
        Desc::gauge(
            "node_power_supply_charge_control_limit",
            "Current to which charging is limited, in amperes.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "charge_control_limit_max",
        Desc::gauge(
            "node_power_supply_charge_control_limit_max",
            "Largest limit of charging, in amperes.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "charge_counter",
        Desc::gauge(
            "node_power_supply_charge_counter",
            "Charge that was counted, in ampere-hours.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "charge_empty",
        Desc::gauge(
            "node_power_supply_charge_empty",
            "Charge when empty, in ampere-hours.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "charge_empty_design",
        Desc::gauge(
            "node_power_supply_charge_empty_design",
            "Charge when empty by design, in ampere-hours.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "charge_full",
        Desc::gauge("node_power_supply_charge_full", "Charge when full, in ampere-hours.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "charge_full_design",
        Desc::gauge(
            "node_power_supply_charge_full_design",
            "Charge when full by design, in ampere-hours.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "charge_now",
        Desc::gauge("node_power_supply_charge_ampere", "Charge now, in ampere-hours.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "charge_term_current",
        Desc::gauge(
            "node_power_supply_charge_term_current",
            "Current at which charging ends, in amperes.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "constant_charge_current",
        Desc::gauge(
            "node_power_supply_constant_charge_current",
            "Current of constant charging, in amperes.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "constant_charge_current_max",
        Desc::gauge(
            "node_power_supply_constant_charge_current_max",
            "Largest current of constant charging, in amperes.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "constant_charge_voltage",
        Desc::gauge(
            "node_power_supply_constant_charge_voltage",
            "Voltage of constant charging, in volts.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "constant_charge_voltage_max",
        Desc::gauge(
            "node_power_supply_constant_charge_voltage_max",
            "Largest voltage of constant charging, in volts.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "precharge_current",
        Desc::gauge(
            "node_power_supply_precharge_current",
            "Current of precharging, in amperes.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "input_current_limit",
        Desc::gauge(
            "node_power_supply_input_current_limit",
            "Limit of the input current, in amperes.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "energy_empty",
        Desc::gauge("node_power_supply_energy_empty", "Energy when empty, in watt-hours.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "energy_empty_design",
        Desc::gauge(
            "node_power_supply_energy_empty_design",
            "Energy when empty by design, in watt-hours.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "energy_full",
        Desc::gauge("node_power_supply_energy_full", "Energy when full, in watt-hours.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "energy_full_design",
        Desc::gauge(
            "node_power_supply_energy_full_design",
            "Energy when full by design, in watt-hours.",
            SUPPLY,
        ),
    )
    .scaled(from_micro),
    attribute(
        "energy_now",
        Desc::gauge("node_power_supply_energy_watthour", "Energy now, in watt-hours.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "power_now",
        Desc::gauge("node_power_supply_power_watt", "Power now, in watts.", SUPPLY),
    )
    .scaled(from_micro),
    attribute(
        "temp",
        Desc::gauge("node_power_supply_temp_celsius", "Temperature, in degrees Celsius.", SUPPLY),
    )
    .scaled(degrees),
    attribute(
        "temp_alert_max",
        Desc::gauge(
            "node_power_supply_temp_alert_max_celsius",
            "Temperature above which there is an alert.",
            SUPPLY,
        ),
    )
    .scaled(degrees),
    attribute(
        "temp_alert_min",
        Desc::gauge(
            "node_power_supply_temp_alert_min_celsius",
            "Temperature below which there is an alert.",
            SUPPLY,
        ),
    )
    .scaled(degrees),
    attribute(
        "temp_ambient",
        Desc::gauge(
            "node_power_supply_temp_ambient_celsius",
            "Temperature around the supply.",
            SUPPLY,
        ),
    )
    .scaled(degrees),
    attribute(
        "temp_ambient_max",
        Desc::gauge(
            "node_power_supply_temp_ambient_max_celsius",
            "Highest temperature around the supply.",
            SUPPLY,
        ),
    )
    .scaled(degrees),
    attribute(
        "temp_ambient_min",
        Desc::gauge(
            "node_power_supply_temp_ambient_min_celsius",
            "Lowest temperature around the supply.",
            SUPPLY,
        ),
    )
    .scaled(degrees),
    attribute(
        "temp_max",
        Desc::gauge(
            "node_power_supply_temp_max_celsius",
            "Highest temperature of operation.",
            SUPPLY,
        ),
    )
    .scaled(degrees),
    attribute(
        "temp_min",
        Desc::gauge(
            "node_power_supply_temp_min_celsius",
            "Lowest temperature of operation.",
            SUPPLY,
        ),
    )
    .scaled(degrees),
]);

/// Charges, energies, voltages and the like are in millionths of their units.
fn from_micro(value: f64) -> f64 {
    value / 1e6
}

/// Temperatures are in tenths of a degree.
fn degrees(tenths: f64) -> f64 {
    tenths / 10.0
}
