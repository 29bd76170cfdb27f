using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>
/// The weights of a DALL-E for one with further tokens of captions. Their rows are behind those of the known ones, before those of
/// padding, which has ids of its own, and before those of codes: both move.
/// </summary>
/// <param name="model">The model, without adapters.</param>
/// <param name="known">How many tokens the captions' tokenizer had; rows behind them, which no token had, go to new tokens first.</param>
/// <param name="pieces">For each new token the ids that its text had.</param>
internal sealed class GrownDalle(DalleModel model, int known, IReadOnlyList<int[]> pieces)
{
    private readonly int _vocabulary = model.Sizes.TextVocabulary;

    /// <summary>The number of text tokens to be, but for padding.</summary>
    private int Size => Math.Max(_vocabulary, known + pieces.Count);

    /// <summary>The content of <c>config.json</c> to be.</summary>
    public JsonObject Configuration()
    {
        var configuration = model.Configuration.DeepClone().AsObject();
        configuration[DalleConfiguration.SizesName]!["num_text_tokens"] = Size;
        return configuration;
    }

    /// <summary>Tensors by the names of a checkpoint.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors()
    {
        string[] head = [$"{DalleNames.Head}.weight", $"{DalleNames.Head}.bias"];
        var grown = head.Concat(head.SelectMany(model.Names.CopiesOf)).Append($"{DalleNames.TextTable}.weight")
            .ToHashSet(StringComparer.Ordinal);
        return model.CheckpointTensors()
            .Select(tensor => grown.Contains(tensor.Key) ? KeyValuePair.Create(tensor.Key, Grow(tensor.Value)) : tensor);
    }

    private Tensor Grow(Tensor tensor)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var rows = tensor.detach();
        long[] added = [Size - _vocabulary, .. rows.shape[1..]];
        var grown = cat(
            [
                rows.narrow(0, 0, _vocabulary), zeros(added, rows.dtype, rows.device),
                rows.narrow(0, _vocabulary, rows.shape[0] - _vocabulary),
            ], 0);
        NewTokenRows.Start(grown, known, pieces);
        return grown.MoveToOuterDisposeScope();
    }
}
