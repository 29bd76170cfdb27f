using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Reads the YAML of configurations, as JSON: mappings, sequences and scalars, of which plain ones may be numbers, truth values or null.
/// Refused are references, tags, names that occur twice, and nesting without end, so that a file cannot ask for more than it holds.
/// </summary>
internal static partial class YamlContent
{
    private const int MaximumDepth = 64;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a mapping.</summary>
    /// <param name="content">UTF-8.</param>
    /// <param name="origin">What error messages call it.</param>
    /// <exception cref="InvalidDataException">It is no valid YAML, no mapping, or has what is not read.</exception>
    public static JsonObject ParseObject(byte[] content, string origin)
    {
        try
        {
            // The scanner throws what comes along at some malformed flows, such as an InvalidOperationException.
            using var text = new StringReader(s_strict.GetString(content).TrimStart('\uFEFF'));
            var parser = new Parser(text);
            parser.Consume<StreamStart>();
            parser.Consume<DocumentStart>();
            var root = Read(parser, origin, depth: 0);
            parser.Consume<DocumentEnd>();
            return root as JsonObject ?? throw new InvalidDataException($"{origin} is not a YAML mapping.");
        }
        catch (Exception exception) when (exception is YamlException or DecoderFallbackException or InvalidOperationException
            or ArgumentException or IndexOutOfRangeException)
        {
            throw new InvalidDataException($"{origin} is not valid YAML: {exception.Message}", exception);
        }
    }

    private static JsonNode? Read(Parser parser, string origin, int depth)
    {
        if (depth > MaximumDepth)
            throw new InvalidDataException($"{origin} is nested more than {MaximumDepth} deep.");
        if (parser.Current is AnchorAlias or NodeEvent { Tag.IsEmpty: false } or NodeEvent { Anchor.IsEmpty: false })
            throw new InvalidDataException($"{origin}, line {parser.Current.Start.Line}: anchors, references and tags are not read.");
        if (parser.TryConsume<Scalar>(out var scalar))
            return scalar.Style == ScalarStyle.Plain ? Plain(scalar.Value) : JsonValue.Create(scalar.Value);
        if (parser.TryConsume<SequenceStart>(out _))
        {
            var items = new JsonArray();
            while (!parser.TryConsume<SequenceEnd>(out _))
                items.Add(Read(parser, origin, depth + 1));
            return items;
        }

        parser.Consume<MappingStart>();
        var entries = new JsonObject();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = parser.Consume<Scalar>();
            if (entries.ContainsKey(key.Value))
                throw new InvalidDataException($"{origin}, line {key.Start.Line}: '{key.Value}' occurs twice.");
            entries.Add(key.Value, Read(parser, origin, depth + 1));
        }

        return entries;
    }

    private static JsonValue? Plain(string text)
    {
        if (text is "" or "~" or "null" or "Null" or "NULL")
            return null;
        if (text is "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON")
            return JsonValue.Create(true);
        if (text is "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF")
            return JsonValue.Create(false);
        if (Number.IsMatch(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number))
        {
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
                ? JsonValue.Create(whole) : JsonValue.Create(number);
        }

        return JsonValue.Create(text);
    }

    [GeneratedRegex(@"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Number { get; }
}
