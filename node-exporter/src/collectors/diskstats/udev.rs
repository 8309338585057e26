//! The properties of a device in the database of udev.

use crate::host::File;

/// The exposed properties from a file of udev; empty if the file does not have them.
#[derive(Debug, Default)]
pub(super) struct Properties<'a> {
    pub(super) path: &'a str,
    pub(super) wwn: &'a str,
    pub(super) model: &'a str,
    pub(super) revision: &'a str,
    /// As printed on the disk.
    scsi_serial: &'a str,
    serial_short: &'a str,
    /// Prefixed with the model. Some virtual disks have no other serial number.
    serial_long: &'a str,
    pub(super) fs_type: &'a str,
    pub(super) fs_usage: &'a str,
    pub(super) fs_uuid: &'a str,
    pub(super) fs_version: &'a str,
    pub(super) dm_name: &'a str,
    pub(super) dm_uuid: &'a str,
    pub(super) vg_name: &'a str,
    pub(super) lv_name: &'a str,
    pub(super) lv_layer: &'a str,
    pub(super) ata: &'a str,
    pub(super) write_cache: &'a str,
    pub(super) write_cache_enabled: &'a str,
    pub(super) rotation_rate: &'a str,
}

impl<'a> Properties<'a> {
    pub(super) fn parse(file: Option<&'a File>) -> Self {
        let mut found = Self::default();
        let text = file.map(File::text).unwrap_or_default();
        let properties = text.lines().filter_map(|line| line.strip_prefix("E:"));
        for (name, value) in properties.filter_map(|property| property.split_once('=')) {
            let field = match name {
                "ID_PATH" => &mut found.path,
                "ID_WWN" => &mut found.wwn,
                "ID_MODEL" => &mut found.model,
                "ID_REVISION" => &mut found.revision,
                "SCSI_IDENT_SERIAL" => &mut found.scsi_serial,
                "ID_SERIAL_SHORT" => &mut found.serial_short,
                "ID_SERIAL" => &mut found.serial_long,
                "ID_FS_TYPE" => &mut found.fs_type,
                "ID_FS_USAGE" => &mut found.fs_usage,
                "ID_FS_UUID" => &mut found.fs_uuid,
                "ID_FS_VERSION" => &mut found.fs_version,
                "DM_NAME" => &mut found.dm_name,
                "DM_UUID" => &mut found.dm_uuid,
                "DM_VG_NAME" => &mut found.vg_name,
                "DM_LV_NAME" => &mut found.lv_name,
                "DM_LV_LAYER" => &mut found.lv_layer,
                "ID_ATA" => &mut found.ata,
                "ID_ATA_WRITE_CACHE" => &mut found.write_cache,
                "ID_ATA_WRITE_CACHE_ENABLED" => &mut found.write_cache_enabled,
                "ID_ATA_ROTATION_RATE_RPM" => &mut found.rotation_rate,
                _ => continue,
            };
            *field = value;
        }
        found
    }

    pub(super) fn serial(&self) -> &'a str {
        let serials = [self.scsi_serial, self.serial_short, self.serial_long];
        serials.into_iter().find(|serial| !serial.is_empty()).unwrap_or_default()
    }
}
