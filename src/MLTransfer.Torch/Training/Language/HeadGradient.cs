using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Adds the output head's part of the loss gradient to the head's gradient, for some rows of a batch at a time.</summary>
/// <param name="head">[vocabulary, C]; trainable.</param>
/// <param name="type">The type of products.</param>
internal sealed class HeadGradient(Parameter head, ScalarType type)
{
    /// <summary>
    /// Products of another type than the gradient's are made for so much of the vocabulary that they stay in the processor's cache.
    /// </summary>
    private const long VocabularyPart = 2048;

    private bool _isNew = head.grad is null;

    /// <summary>Adds (gradient of the logits)^T * (input of the head).</summary>
    /// <param name="logitGradients">[rows, vocabulary] of the products' type.</param>
    /// <param name="inputs">[rows, C] of the products' type.</param>
    public void Add(Tensor logitGradients, Tensor inputs)
    {
        using var scope = NewDisposeScope();
        if (_isNew && head.grad is null)
            head.grad = empty_like(head); // the first product is written, not added
        var gradient = head.grad!;
        if (type == gradient.dtype)
            gradient.addmm_(logitGradients.t(), inputs, _isNew ? 0 : 1, 1);
        else
            AddInParts(gradient, logitGradients, inputs);
        _isNew = false;
    }

    private void AddInParts(Tensor gradient, Tensor logitGradients, Tensor inputs)
    {
        var memory = empty([VocabularyPart, inputs.shape[1]], type, inputs.device);
        for (long start = 0; start < gradient.shape[0]; start += VocabularyPart)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(VocabularyPart, gradient.shape[0] - start);
            var product = memory.narrow(0, 0, count);
            product.addmm_(logitGradients.narrow(1, start, count).t(), inputs, 0, 1);
            var part = gradient.narrow(0, start, count);
            if (_isNew)
                part.copy_(product);
            else
                part.add_(product);
        }
    }
}
