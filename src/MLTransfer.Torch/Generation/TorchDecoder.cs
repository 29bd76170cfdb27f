using System.Text.Json.Nodes;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Torch.Generation;

/// <summary>Decodes with a TorchSharp network.</summary>
internal sealed class TorchDecoder : ICausalDecoder
{
    private readonly TransformerNetwork _model;

    /// <summary>Puts the model into evaluation mode; it stays the caller's.</summary>
    /// <exception cref="ArgumentException">The model has no decoder.</exception>
    public TorchDecoder(TransformerNetwork model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Decoder is null)
        {
            throw new ArgumentException(
                $"A {model.GetType().Name} ({model.Family.ModelType}) writes no texts: a decoder, or an encoder with a decoder, is expected.",
                nameof(model));
        }

        model.eval();
        _model = model;
    }

    public JsonObject Configuration => _model.Configuration;

    public int VocabularySize => _model.VocabularySize;

    public int ContextLength => _model.ContextLength;

    public UseCount.Hold Hold()
    {
        if (_model.training)
            throw new InvalidOperationException(
                "The model is in training mode, where dropout changes what it computes. Call its eval() first.");
        return _model.Hold();
    }

    public IDecodingCache CreateCache(int rows, int capacity) => new TorchDecodingCache(_model, rows, capacity);
}
