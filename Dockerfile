# One image, every role: `docker build -t heliograph .`
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/heliograph
COPY requirements.lock ./
RUN /opt/heliograph/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY src ./src
RUN /opt/heliograph/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="heliograph" \
      org.opencontainers.image.description="One Messaging API over SMS, voice, push, in-app and social channels"
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends espeak-ng \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system --gid 10001 heliograph \
 && useradd --system --uid 10001 --gid 10001 --home-dir /data heliograph \
 && install -d -o heliograph -g heliograph -m 0700 /data
COPY --from=build /opt/heliograph /opt/heliograph
ENV PATH=/opt/heliograph/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HELIOGRAPH_DATA=/data \
    HELIOGRAPH_LISTEN=0.0.0.0:8080
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
ENTRYPOINT ["heliograph"]
CMD ["serve", "--roles", "api,worker"]
