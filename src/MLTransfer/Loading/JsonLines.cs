using System.Collections;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;

namespace MLTransfer.Loading;

/// <summary>The rows of files with a JSON object a line (jsonlines.org); the files are read anew each time they are gone through.</summary>
internal sealed class JsonLines<TRow>(IReadOnlyList<string> paths) : IEnumerable<TRow>
    where TRow : class
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        IncludeFields = true, PropertyNameCaseInsensitive = true, RespectNullableAnnotations = true, Converters =
            { new JsonTextConverter() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RequireWhatIsNotNullable } },
    };

    private static readonly UTF8Encoding s_encoding = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="InvalidDataException">A line is not such an object; the message names file and line.</exception>
    public IEnumerator<TRow> GetEnumerator()
    {
        foreach (var path in paths)
        {
            using var reader = new StreamReader(FileOnDisk.OpenRead(path), s_encoding);
            for (var number = 1; ReadLine(reader, path, number) is { } line; number++)
            {
                if (!string.IsNullOrWhiteSpace(line))
                    yield return JsonContent.Deserialize<TRow>(s_encoding.GetBytes(line), $"'{path}', line {number}", s_json);
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static string? ReadLine(StreamReader reader, string path, int line)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (DecoderFallbackException exception)
        {
            throw new InvalidDataException($"'{path}', line {line}: {exception.Message}", exception);
        }
    }

    private static void RequireWhatIsNotNullable(JsonTypeInfo type)
    {
        if (type.Type != typeof(TRow))
            return;
        foreach (var property in type.Properties)
            property.IsRequired = property.Set is not null && !property.IsSetNullable;
    }
}
