using System.Text.Json.Nodes;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

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
                $"A {model.GetType().Name} ({model.Family.ModelType}) writes no texts: a decoder, or an encoder with a decoder, is "
                + "expected.",
                nameof(model));
        }

        model.eval();
        _model = model;
    }

    public JsonObject Configuration => _model.Configuration;

    public int VocabularySize => _model.VocabularySize;

    public int ContextLength => _model.ContextLength;

    public IReadOnlyList<int> SwitchLengths => _model.Output.SwitchLengths;

    public PromptEncoder? Encoder => _model is EncoderDecoderModel { Description.Encoder: { } encoder } both
        ? new PromptEncoder(encoder.Input.Rows, encoder.Context, both.DecoderStartTokenId)
        : null;

    public UseCount.Hold Hold()
    {
        if (_model.training)
            throw new InvalidOperationException(
                "The model is in training mode, where dropout changes what it computes. Call its eval() first.");
        return _model.Hold();
    }

    public IDecodingCache CreateCache(int rows, int capacity, IReadOnlyList<IReadOnlyList<int>>? encoderIds = null) =>
        new TorchDecodingCache(_model, rows, capacity, encoderIds is null ? null : Encode((EncoderDecoderModel)_model, encoderIds));

    /// <summary>Reads prompts together, padded on the right.</summary>
    private static EncodedText Encode(EncoderDecoderModel model, IReadOnlyList<IReadOnlyList<int>> prompts)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var width = prompts.Max(prompt => prompt.Count);
        var ids = new long[checked(prompts.Count * width)];
        var mask = new bool[ids.Length];
        for (var row = 0; row < prompts.Count; row++)
        {
            for (var i = 0; i < prompts[row].Count; i++)
                (ids[row * width + i], mask[row * width + i]) = (prompts[row][i], true);
        }

        return model.Encode(new ModelInput(tensor(ids, [prompts.Count, width], device: model.Device))
        {
            AttentionMask = mask.Contains(false) ? tensor(mask, [prompts.Count, width], device: model.Device) : null,
        });
    }
}
