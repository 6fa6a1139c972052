// A PLC directory in memory and a real personal data server, on 127.0.0.1 only.
// Environment: PLC_PORT, PDS_PORT, PDS_FOLDER (empty, for its databases), PDS_JWT_SECRET.
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'

// Both servers listen on every interface by themselves: keep them on loopback.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...words) {
  const callback = words.find((word) => typeof word === 'function')
  const first = words[0]
  const port = typeof first === 'object' && first !== null ? first.port : first
  if (port === undefined) return listen.apply(this, words)
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, ...(callback ? [callback] : []))
}

const { PLC_PORT, PDS_PORT, PDS_FOLDER, PDS_JWT_SECRET } = process.env
const plcModule = await import('@did-plc/server')
const { Database, PlcServer } = plcModule.PlcServer ? plcModule : plcModule.default
const { PDS, envToCfg, envToSecrets, readEnv } = await import('@atproto/pds')

const plc = PlcServer.create({ db: Database.mock(), port: Number(PLC_PORT) })
await plc.start()

fs.mkdirSync(path.join(PDS_FOLDER, 'blobs'), { recursive: true })
Object.assign(process.env, {
  PDS_DEV_MODE: 'true',
  PDS_HOSTNAME: 'localhost',
  PDS_DATA_DIRECTORY: PDS_FOLDER,
  PDS_BLOBSTORE_DISK_LOCATION: path.join(PDS_FOLDER, 'blobs'),
  PDS_BLOBSTORE_DISK_TMP_LOCATION: path.join(PDS_FOLDER, 'blobs-tmp'),
  PDS_JWT_SECRET,
  PDS_ADMIN_PASSWORD: 'only-on-loopback',
  PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: '1f'.repeat(32),
  PDS_DID_PLC_URL: `http://127.0.0.1:${PLC_PORT}`,
  PDS_INVITE_REQUIRED: 'false',
  PDS_SERVICE_HANDLE_DOMAINS: '.test',
  PDS_DISABLE_SSRF_PROTECTION: 'true',
  LOG_ENABLED: 'false',
})
const env = readEnv()
const pds = await PDS.create(envToCfg(env), envToSecrets(env))
await pds.start()
console.log('ready')

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, async () => {
    await pds.destroy()
    await plc.destroy()
    process.exit(0)
  })
}
