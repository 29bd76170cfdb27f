using System.Text.Json.Nodes;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Torch.Generation;

/// <summary>Decodes with a TorchSharp network.</summary>
internal sealed class TorchDecoder : ICausalDecoder
{
    private readonly CausalLanguageModel _model;

    /// <summary>Puts the model into evaluation mode; it stays the caller's.</summary>
    public TorchDecoder(CausalLanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.eval();
        _model = model;
    }

    public JsonObject Configuration => _model.Configuration;

    public int VocabularySize => _model.VocabularySize;

    public int ContextLength => _model.ContextLength;

    public IReadOnlyList<int> SwitchLengths => _model.Output.SwitchLengths;

    public UseCount.Hold Hold()
    {
        if (_model.training)
            throw new InvalidOperationException(
                "The model is in training mode, where dropout changes what it computes. Call its eval() first.");
        return _model.Hold();
    }

    public IDecodingCache CreateCache(int rows, int capacity) => new TorchDecodingCache(_model, rows, capacity);
}
