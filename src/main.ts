#!/usr/bin/env node
process.stdout.write('bucketwarden\n');
