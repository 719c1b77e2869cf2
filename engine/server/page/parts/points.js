// Points drawn by WebGL: positions and colours stay on the graphics card, a frame only moves the view.

const VERTEX = `
attribute vec2 place;
attribute vec4 colour;
uniform vec2 centre, scale;
uniform mediump float size;
varying vec4 shade;
void main() {
  gl_Position = vec4((place - centre) * scale, 0.0, 1.0);
  gl_PointSize = size;
  shade = colour;
}`;
const FRAGMENT = `
precision mediump float;
varying vec4 shade;
uniform mediump float size;
void main() {
  float edge = (0.5 - distance(gl_PointCoord, vec2(0.5))) * size;
  float alpha = shade.a * clamp(edge, 0.0, 1.0);
  gl_FragColor = vec4(shade.rgb * alpha, alpha);
}`;

// Return a drawer of points on a canvas, or null for a browser without WebGL.
export function createPoints(canvas) {
  const gl = canvas.getContext("webgl", { antialias: false, premultipliedAlpha: true, powerPreference: "low-power" });
  if (!gl) return null;
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const uniform = (name) => gl.getUniformLocation(program, name);
  const [centre, scale, size] = ["centre", "scale", "size"].map(uniform);
  const [places, colours] = [gl.createBuffer(), gl.createBuffer()];
  let number = 0;
  const bind = (buffer, name, width, type, normalized) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    const at = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, width, type, normalized, 0, 0);
  };
  return {
    // `positions`: Float32Array of x and y by turns.
    setPlaces(positions) {
      number = positions.length / 2;
      bind(places, "place", 2, gl.FLOAT, false);
      gl.bufferData(gl.ARRAY_BUFFER, positions, gl.STATIC_DRAW);
    },
    // `bytes`: Uint8Array of red, green, blue and alpha by turns.
    setColours(bytes) {
      bind(colours, "colour", 4, gl.UNSIGNED_BYTE, true);
      gl.bufferData(gl.ARRAY_BUFFER, bytes, gl.DYNAMIC_DRAW);
    },
    // Draw all points: `view` as of parts/view.js, `diameter` in CSS pixels.
    draw(view, diameter) {
      const pixels = devicePixelRatio || 1;
      const [width, height] = [Math.round(view.width * pixels), Math.round(view.height * pixels)];
      if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
      gl.viewport(0, 0, width, height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      if (!number) return;
      gl.uniform2f(centre, view.x, view.y);
      gl.uniform2f(scale, (2 * view.zoom) / view.width, (2 * view.zoom) / view.height);
      gl.uniform1f(size, diameter * pixels);
      gl.drawArrays(gl.POINTS, 0, number);
    },
    free: () => gl.getExtension("WEBGL_lose_context")?.loseContext(),
  };
}
