using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>Checks labels against what a network was made for.</summary>
internal static class LabelCheck
{
    /// <exception cref="ArgumentException">Labels are missing, not wanted or of another shape.</exception>
    public static void Check(Tensor? labels, long batch, int width)
    {
        if (labels is null)
        {
            if (width > 0)
                throw new ArgumentException($"The network needs labels of shape [{batch}, {width}].", nameof(labels));
        }
        else if (width == 0)
        {
            throw new ArgumentException("The network takes no labels (c_dim is 0).", nameof(labels));
        }
        else if (labels.dim() != 2 || labels.shape[0] != batch || labels.shape[1] != width)
        {
            throw new ArgumentException(
                $"Labels have shape [{string.Join(", ", labels.shape)}]; expected [{batch}, {width}].", nameof(labels));
        }
    }
}
