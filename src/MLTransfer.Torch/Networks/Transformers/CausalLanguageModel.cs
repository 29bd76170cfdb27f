using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>A decoder: a network that gives the next token's distribution from the tokens before it.</summary>
public sealed class CausalLanguageModel : TransformerNetwork
{
    internal CausalLanguageModel(Family family, JsonObject configuration, Transformer description, WeightSource weights)
        : base(family, configuration, description, weights)
    {
    }

    /// <inheritdoc/>
    public override Tensor ComputeHiddenStates(ModelInput input) => Decode(input);

    /// <summary>Logits of every position: [batch, length, vocabulary], of several streams of tokens [batch, streams, length,
    /// vocabulary].</summary>
    public override Tensor Forward(ModelInput input)
    {
        using var hold = Hold();
        using var scope = NewDisposeScope();
        var hiddenStates = ComputeHiddenStates(input);
        return (Output.Heads.Count == 1
            ? ComputeLogits(hiddenStates)
            : stack(Output.Heads.Select(head => head.Logits(hiddenStates, ComputeType)), 1)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="TransformerNetwork.Load(string, ScalarType?, Device?, bool)"/>
    /// <exception cref="NotSupportedException">The architecture is not supported, or is no decoder.</exception>
    public static new CausalLanguageModel Load(
        string folder, ScalarType? dataType = null, Device? device = null, bool keepsMatrices = false) =>
        Causal(TransformerNetwork.Load(folder, dataType, device, keepsMatrices), folder);

    /// <inheritdoc cref="TransformerNetwork.Load(JsonObject, Checkpoint, string, ScalarType?, Device?, bool)"/>
    /// <exception cref="NotSupportedException">The architecture is not supported, or is no decoder.</exception>
    public static new CausalLanguageModel Load(
        JsonObject configuration, Checkpoint checkpoint, string origin, ScalarType? dataType = null, Device? device = null,
        bool keepsMatrices = false) =>
        Causal(TransformerNetwork.Load(configuration, checkpoint, origin, dataType, device, keepsMatrices), origin);

    /// <inheritdoc cref="TransformerNetwork.Create"/>
    /// <exception cref="NotSupportedException">The architecture is not supported, or is no decoder.</exception>
    public static new CausalLanguageModel Create(
        JsonObject configuration, ScalarType? dataType = null, Device? device = null, long? seed = null) =>
        Causal(TransformerNetwork.Create(configuration, dataType, device, seed), "the configuration");

    /// <inheritdoc cref="TransformerNetwork.ConvertTo"/>
    internal new CausalLanguageModel ConvertTo(ScalarType dataType) => (CausalLanguageModel)base.ConvertTo(dataType);

    /// <inheritdoc cref="TransformerNetwork.Copy"/>
    internal new CausalLanguageModel Copy(bool keepsMatrices = false, Device? device = null) =>
        (CausalLanguageModel)base.Copy(keepsMatrices, device);

    private static CausalLanguageModel Causal(TransformerNetwork network, string origin)
    {
        if (network is CausalLanguageModel causal)
            return causal;
        network.Dispose();
        throw new NotSupportedException(
            $"{origin}: config.json describes a {network.GetType().Name} ({network.Family.ModelType}); a model that continues texts, "
            + "a decoder, is expected.");
    }
}
