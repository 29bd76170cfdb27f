using System.IO.Hashing;
using System.Text.Json;
using Microsoft.ML;
using MLTransfer.Text;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Persistence;

/// <summary>
/// What a saved text generator consists of: the main stream of its part of a model file, as JSON between its length and its CRC-32.
/// </summary>
internal sealed record TextGeneratorManifest
{
    private const int MaximumLength = 16 << 20;

    private static readonly JsonSerializerOptions Json = new() { RespectNullableAnnotations = true };

    public required TextGeneratorColumns Columns { get; init; }

    public required GenerationOptions Generation { get; init; }

    public required int GenerationBatchSize { get; init; }

    /// <summary>Not in files of the first version, which generate in float32.</summary>
    public DecodingPrecision DecodingPrecision { get; init; }

    public required WeightType WeightType { get; init; }

    /// <summary>Where the file holds only adapters: the model that they belong to.</summary>
    public BaseModelReference? BaseModel { get; init; }

    public required IReadOnlyList<StoredFile> Files { get; init; }

    public void Write(ModelSaveContext context)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, Json);
        context.Writer.Write(json.Length);
        context.Writer.Write(json);
        context.Writer.Write(Crc32.HashToUInt32(json));
    }

    /// <exception cref="InvalidDataException">The stream is damaged.</exception>
    public static TextGeneratorManifest Read(ModelLoadContext context)
    {
        try
        {
            var length = context.Reader.ReadInt32();
            if (length is < 2 or > MaximumLength)
                throw Damaged($"its length is {length}");
            var json = context.Reader.ReadBytes(length);
            if (json.Length != length || context.Reader.ReadUInt32() != Crc32.HashToUInt32(json))
                throw Damaged("its checksum is wrong");
            var manifest = JsonSerializer.Deserialize<TextGeneratorManifest>(json, Json) ?? throw Damaged("it is empty");
            manifest.Generation.Check();
            OptionCheck.AtLeast(nameof(GenerationBatchSize), manifest.GenerationBatchSize, 1);
            OptionCheck.Defined(nameof(DecodingPrecision), manifest.DecodingPrecision);
            OptionCheck.Defined(nameof(WeightType), manifest.WeightType);
            if (manifest.Columns.SequencesPerPrompt != manifest.Generation.SequencesPerPrompt)
                throw Damaged("its columns do not fit its generation options");
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
