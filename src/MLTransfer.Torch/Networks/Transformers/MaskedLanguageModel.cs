using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Networks.Transformers.Families;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>An encoder: every position sees the whole text. With an output head it gives distributions of masked tokens.</summary>
public sealed class MaskedLanguageModel : TransformerNetwork
{
    internal MaskedLanguageModel(Family family, JsonObject configuration, Transformer description, WeightSource weights)
        : base(family, configuration, description, weights)
    {
    }

    /// <inheritdoc/>
    public override Tensor ComputeHiddenStates(ModelInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var hold = Hold();
        using var scope = NewDisposeScope();
        var hidden = Encoder!.Forward(input, training);
        return (Encoder.Heads is [var head, ..] ? head.Features(hidden) : hidden).MoveToOuterDisposeScope();
    }

    /// <summary>What <see cref="ComputeHiddenStates(ModelInput)"/> gives at some positions, with the head's transform of those
    /// alone.</summary>
    /// <param name="input">What is read.</param>
    /// <param name="positions">[count] int64, of the flattened [batch * length].</param>
    /// <returns>[count, width].</returns>
    internal Tensor ComputeHiddenStates(ModelInput input, Tensor positions)
    {
        using var hold = Hold();
        using var scope = NewDisposeScope();
        var hidden = Encoder!.Forward(input, training);
        return Head.Features(hidden.view(-1, hidden.shape[2]).index_select(0, positions)).MoveToOuterDisposeScope();
    }

    /// <summary>Logits of every position: [batch, length, vocabulary].</summary>
    /// <exception cref="InvalidOperationException">The network has no output head.</exception>
    public Tensor Forward(ModelInput input)
    {
        using var hold = Hold();
        using var hiddenStates = ComputeHiddenStates(input);
        return ComputeLogits(hiddenStates);
    }

    /// <inheritdoc cref="TransformerNetwork.Load(string, ScalarType?, Device?, bool)"/>
    /// <exception cref="NotSupportedException">The architecture is not supported, or predicts no masked tokens.</exception>
    public static new MaskedLanguageModel Load(
        string folder, ScalarType? dataType = null, Device? device = null, bool keepsMatrices = false) =>
        Masked(TransformerNetwork.Load(folder, dataType, device, keepsMatrices), folder);

    /// <inheritdoc cref="TransformerNetwork.Create"/>
    /// <exception cref="NotSupportedException">The architecture is not supported, or predicts no masked tokens.</exception>
    public static new MaskedLanguageModel Create(
        JsonObject configuration, ScalarType? dataType = null, Device? device = null, long? seed = null) =>
        Masked(TransformerNetwork.Create(configuration, dataType, device, seed), "the configuration");

    /// <summary>Refuses a folder by its <c>config.json</c> alone, before other files of it are read.</summary>
    /// <exception cref="NotSupportedException">The architecture is not supported, or predicts no masked tokens.</exception>
    internal static void CheckFamily(string folder)
    {
        var configuration = ModelConfigurationFile.Read(folder);
        var family = FamilyRegistry.Of(configuration, folder);
        var description = family.Read(new ConfigurationReader(configuration));
        if (description is not { Decoder: null, Encoder.Heads.Length: > 0 })
        {
            throw NoMasks(
                folder, description.Encoder is null ? nameof(CausalLanguageModel)
                    : description.Decoder is null ? nameof(MaskedLanguageModel) : nameof(EncoderDecoderModel),
                family);
        }
    }

    /// <summary>A network as one that predicts masked tokens.</summary>
    /// <exception cref="NotSupportedException">It predicts none; it is disposed.</exception>
    internal static MaskedLanguageModel Masked(TransformerNetwork network, string origin)
    {
        if (network is MaskedLanguageModel { HasOutputHead: true } masked)
            return masked;
        network.Dispose();
        throw NoMasks(origin, network.GetType().Name, network.Family);
    }

    private static NotSupportedException NoMasks(string origin, string kind, Family family) => new(
        $"{origin}: config.json describes a {kind} ({family.ModelType}); a model that predicts masked tokens, an encoder with an output "
        + "head (BertForMaskedLM, RobertaForMaskedLM, DistilBertForMaskedLM), is expected.");
}
