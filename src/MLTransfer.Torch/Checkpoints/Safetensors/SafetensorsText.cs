using System.Buffers;
using System.Globalization;
using System.Text;

namespace MLTransfer.Torch.Checkpoints.Safetensors;

/// <summary>
/// JSON text with the reference implementation's escapes (quotation mark, backslash, control characters, and nothing else); the writers in
/// System.Text.Json escape more, which would give other bytes for the same names.
/// </summary>
internal sealed class SafetensorsText
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public int Length => _bytes.WrittenCount;

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    /// <exception cref="ArgumentException">The text is not valid UTF-16.</exception>
    public static byte[] Encode(string text)
    {
        try
        {
            return s_strict.GetBytes(text);
        }
        catch (EncoderFallbackException exception)
        {
            throw new ArgumentException($"The name '{text}' is not valid Unicode.", exception);
        }
    }

    public SafetensorsText Raw(string json)
    {
        _bytes.Write(Encode(json));
        return this;
    }

    public SafetensorsText Quoted(string text)
    {
        var json = new StringBuilder("\"");
        foreach (char character in text)
        {
            json.Append(character switch
            {
                '"' => "\\\"",
                '\\' => @"\\",
                '\b' => "\\b",
                '\f' => "\\f",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                < ' ' => "\\u" + ((int)character).ToString("x4", CultureInfo.InvariantCulture),
                _ => null,
            });
            if (character >= ' ' && character is not ('"' or '\\')) json.Append(character);
        }
        return Raw(json.Append('"').ToString());
    }
}
