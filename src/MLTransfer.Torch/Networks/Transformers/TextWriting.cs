using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Networks.Transformers.Families;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>Which networks write texts: decoders, and encoders with a decoder of the same tokens.</summary>
internal static class TextWriting
{
    /// <summary>Refuses a folder by its <c>config.json</c> alone, before other files of it are read.</summary>
    /// <exception cref="NotSupportedException">The architecture is not supported, or writes no texts.</exception>
    public static void Check(string folder)
    {
        var configuration = TransformerFiles.ReadConfiguration(folder);
        var family = FamilyRegistry.Of(configuration, folder);
        if (Fault(family.Read(new ConfigurationReader(configuration))) is { } fault)
            throw NoTexts(folder, fault, family);
    }

    /// <summary>A network as one that writes texts.</summary>
    /// <exception cref="NotSupportedException">It writes none; it is disposed.</exception>
    public static TransformerNetwork Checked(TransformerNetwork network, string origin)
    {
        if (Fault(network.Description) is not { } fault)
            return network;
        network.Dispose();
        throw NoTexts(origin, fault, network.Family);
    }

    private static NotSupportedException NoTexts(string origin, string fault, Family family) => new(
        $"{origin}: config.json describes a {fault} ({family.ModelType}); a model that writes texts, a decoder or an encoder with a "
        + "decoder, is expected.");

    /// <summary>What a network is that writes no texts; null for one that does.</summary>
    private static string? Fault(Transformer description) => description switch
    {
        { Decoder: null } => nameof(MaskedLanguageModel),
        { Encoder: { } encoder, Decoder: { } decoder } when !encoder.Input.Tables.SequenceEqual(decoder.Input.Tables) =>
            $"{nameof(EncoderDecoderModel)} that reads other tokens than it writes",
        { Encoder: null, Decoder: { } decoder } when decoder.Blocks.Any(block => block.Cross is not null) =>
            $"{nameof(CausalLanguageModel)} that looks at another model's encoder",
        _ => null,
    };
}
