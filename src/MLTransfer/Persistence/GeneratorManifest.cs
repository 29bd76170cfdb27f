using System.IO.Hashing;
using System.Text.Json;
using Microsoft.ML;
using MLTransfer.Text;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Persistence;

/// <summary>
/// What a saved text generator consists of: the main stream of its part of a model file, as JSON between its length and its CRC-32.
/// </summary>
internal abstract record GeneratorManifest
{
    private const int MaximumLength = 16 << 20;

    private static readonly JsonSerializerOptions s_json = new() { RespectNullableAnnotations = true };

    public required TextGeneratorColumns Columns { get; init; }

    public required GenerationOptions Generation { get; init; }

    public required int GenerationBatchSize { get; init; }

    public required IReadOnlyList<StoredFile> Files { get; init; }

    public void Write(ModelSaveContext context)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, GetType(), s_json);
        context.Writer.Write(json.Length);
        context.Writer.Write(json);
        context.Writer.Write(Crc32.HashToUInt32(json));
    }

    /// <summary>One of the files.</summary>
    /// <exception cref="InvalidDataException">There is no such file.</exception>
    public StoredFile Find(string name) =>
        Files.FirstOrDefault(file => file.Name == name)
            ?? throw new InvalidDataException($"The model file is damaged: its text generator has no '{name}'.");

    /// <summary>Checks every entry.</summary>
    /// <exception cref="ArgumentException">An entry is outside its range.</exception>
    public virtual void Check()
    {
        Generation.Check();
        OptionCheck.AtLeast(nameof(GenerationBatchSize), GenerationBatchSize, 1);
        if (Columns.SequencesPerPrompt != Generation.SequencesPerPrompt)
            throw new ArgumentException("its columns do not fit its generation options");
    }

    /// <exception cref="InvalidDataException">The stream is damaged.</exception>
    protected static T Read<T>(ModelLoadContext context)
        where T : GeneratorManifest
    {
        try
        {
            var length = context.Reader.ReadInt32();
            if (length is < 2 or > MaximumLength)
                throw Damaged($"its length is {length}");
            var json = context.Reader.ReadBytes(length);
            if (json.Length != length || context.Reader.ReadUInt32() != Crc32.HashToUInt32(json))
                throw Damaged("its checksum is wrong");
            var manifest = JsonSerializer.Deserialize<T>(json, s_json) ?? throw Damaged("it is empty");
            manifest.Check();
            return manifest;
        }
        catch (Exception exception) when (exception is EndOfStreamException or JsonException or ArgumentException)
        {
            throw Damaged(exception.Message.TrimEnd('.'), exception);
        }

        InvalidDataException Damaged(string what, Exception? inner = null) =>
            new($"The model file is damaged: the description of the text generator in '{context.Directory}': {what}.", inner);
    }
}
