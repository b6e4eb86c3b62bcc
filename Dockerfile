# Builds dist/ with all dependencies, and ships it with the production ones alone.
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run prepare

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY LICENSE LICENSE
COPY policies policies
COPY --from=build /app/dist dist

# 1000 is the image's user `node`.
RUN mkdir /data && chown 1000:1000 /data && chmod 700 /data
USER node
VOLUME /data

# The admin port stays on the container's own loopback address, where the health check asks; set
# BUCKETWARDEN_ADMIN_LISTEN=0.0.0.0:9001 to let a metrics collector or an orchestrator reach it.
ENV BUCKETWARDEN_LISTEN=0.0.0.0:9000
ENV BUCKETWARDEN_ADMIN_LISTEN=127.0.0.1:9001
ENV BUCKETWARDEN_DATA_DIR=/data
EXPOSE 9000 9001

HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["node", "-e", "fetch('http://127.0.0.1:9001/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
