using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Networks.Transformers.Families;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>Which networks write texts: decoders, and encoders with a decoder of the same tokens.</summary>
internal static class TextWriting
{
    /// <summary>Refuses a folder by its <c>config.json</c> alone, before other files of it are read.</summary>
    /// <exception cref="NotSupportedException">The architecture is not supported, or writes no texts.</exception>
    public static void Check(string folder) => Check(ModelConfigurationFile.Read(folder), folder);

    /// <summary>Refuses a <c>config.json</c>.</summary>
    /// <param name="configuration">Its content.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <exception cref="NotSupportedException">The architecture is not supported, or writes no texts.</exception>
    public static void Check(JsonObject configuration, string origin)
    {
        var family = FamilyRegistry.Of(configuration, origin);
        var description = family.Read(new ConfigurationReader(configuration));
        if (Fault(description) is { } fault)
        {
            throw new NotSupportedException(
                $"{origin}: config.json describes a {fault} ({family.ModelType}); a model that writes texts, a decoder or an encoder with "
                + "a decoder, is expected.");
        }
    }

    /// <summary>What a network is that writes no texts; null for one that does.</summary>
    public static string? Fault(Transformer description) => description switch
    {
        { Decoder: null } => nameof(MaskedLanguageModel),
        { Encoder: { } encoder, Decoder: { } decoder } when !encoder.Input.Tables.SequenceEqual(decoder.Input.Tables) =>
            $"{nameof(EncoderDecoderModel)} that reads other tokens than it writes",
        { Encoder: null, Decoder: { } decoder } when decoder.Blocks.Any(block => block.Cross is not null) =>
            $"{nameof(CausalLanguageModel)} that looks at another model's encoder",
        _ => null,
    };
}
