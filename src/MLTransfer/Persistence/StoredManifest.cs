using System.IO.Hashing;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;
using Microsoft.ML;

namespace MLTransfer.Persistence;

/// <summary>
/// What a saved component consists of, as JSON between its length and its CRC-32: the main stream of its part of a model file.
/// </summary>
internal static class StoredManifest
{
    private static readonly JsonSerializerOptions Json = new()
    {
        RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, AllowOutOfOrderMetadataProperties = true,
    };

    public static void Write(ModelSaveContext context, ModelManifest manifest)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(manifest, manifest.GetType(), Json);
        context.Writer.Write(json.Length);
        context.Writer.Write(json);
        context.Writer.Write(Crc32.HashToUInt32(json));
    }

    /// <param name="context">Where from.</param>
    /// <param name="component">What error messages call the component.</param>
    /// <exception cref="InvalidDataException">The stream is damaged.</exception>
    public static T Read<T>(ModelLoadContext context, string component)
        where T : ModelManifest
    {
        var origin = $"The model file is damaged: the description of the {component} in '{context.Directory}'";
        try
        {
            var length = context.Reader.ReadInt32();
            FileKind.Configuration.Check(length, origin);
            var json = context.Reader.ReadBytes(length);
            if (json.Length != length || context.Reader.ReadUInt32() != Crc32.HashToUInt32(json))
                throw Damaged("its checksum is wrong");
            var manifest = JsonContent.Deserialize<T>(json, origin, Json);
            manifest.Check();
            return manifest;
        }
        catch (Exception exception) when (exception is EndOfStreamException or ArgumentException)
        {
            throw Damaged(exception.Message.TrimEnd('.'), exception);
        }

        InvalidDataException Damaged(string what, Exception? inner = null) =>
            new($"{origin}: {what}.", inner);
    }
}
