using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Optimizers;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// The trainable weights of a model that computes in another type than theirs: converted once a step, by the optimizer, instead of in every
/// pass. Their gradients stay in the type of products, in which they take half the memory, until the optimizer reads them.
/// </summary>
internal static class TrainableWeights
{
    /// <summary>Lets products read the optimizer's copies of weights, until the model's compute type is set again.</summary>
    public static void Convert(TransformerNetwork model, Optimizer optimizer)
    {
        if (model.ComputeType is not { } type)
            return;
        foreach (var layer in model.modules().OfType<Linear>())
        {
            if (layer.Weight.requires_grad && layer.Weight.dtype != type)
                layer.ConvertedWeight = optimizer.CopyOf(layer.Weight, type);
        }

        foreach (var head in model.Output.Heads)
        {
            if (head.Weight.requires_grad && head.Weight.dtype != type)
                head.Converted = optimizer.CopyOf(head.Weight, type);
        }
    }
}
