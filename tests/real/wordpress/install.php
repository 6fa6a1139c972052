<?php
// Fills the database and prints an application password of an Editor: the role that a union's office would have.
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1';
$_SERVER['REQUEST_URI'] = '/';
require getenv('WORDPRESS_ROOT') . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Federasi Serikat Pekerja Contoh', 'admin', 'admin@serikat.example', true, '', wp_generate_password());
update_option('permalink_structure', '/%year%/%monthnum%/%day%/%postname%/');
switch_theme('polos');
$user = wp_insert_user([
    'user_login' => 'redaksi',
    'user_pass' => wp_generate_password(),
    'user_email' => 'redaksi@serikat.example',
    'display_name' => 'Redaksi',
    'role' => 'editor',
]);
[$password] = WP_Application_Passwords::create_new_application_password($user, ['name' => 'campaign']);
echo $password, "\n";
