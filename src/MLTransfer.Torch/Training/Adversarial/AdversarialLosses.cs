using MLTransfer.Torch.Networks.StyleGan2;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>The losses of StyleGAN2's training (arXiv 1912.04958), each a scalar with its graph.</summary>
internal static class AdversarialLosses
{
    /// <summary>The non-saturating loss (arXiv 1406.2661): -ln of the probability that images are real.</summary>
    /// <param name="logits">The discriminator's, [N, 1].</param>
    public static Tensor TakenForReal(Tensor logits)
    {
        using var scope = NewDisposeScope();
        return F.softplus(-logits).mean().MoveToOuterDisposeScope();
    }

    /// <summary>-ln of the probability that images are made.</summary>
    /// <param name="logits">The discriminator's, [N, 1].</param>
    public static Tensor TakenForMade(Tensor logits)
    {
        using var scope = NewDisposeScope();
        return F.softplus(logits).mean().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// R1 (arXiv 1801.04406): the mean over images of the squared norm of the logit's gradient by the image, through its augmentation.
    /// </summary>
    /// <param name="discriminator">Its parameters take the gradient.</param>
    /// <param name="images">Real images, [N, C, R, R].</param>
    /// <param name="labels">[N, width]; null where there are none.</param>
    /// <param name="augment">Makes of images what the discriminator sees, each of its own; null for the images themselves.</param>
    public static Tensor GradientPenalty(
        StyleGan2Discriminator discriminator, Tensor images, Tensor? labels = null, Func<Tensor, Tensor>? augment = null)
    {
        using var scope = NewDisposeScope();
        var variable = images.detach().requires_grad_(true);
        var logits = discriminator.Forward(augment is null ? variable : augment(variable), labels);
        var gradient = autograd.grad([logits.sum()], [variable], retain_graph: true, create_graph: true)[0];
        return gradient.square().sum([1, 2, 3]).mean().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The norm of J^T y for each image (arXiv 1912.04958, section 3.2): J is the images' Jacobian by w and y normal noise, so that it
    /// tells how far an image moves with a step in w.
    /// </summary>
    /// <param name="images">Made from <paramref name="styles"/>, [N, C, R, R].</param>
    /// <param name="styles">w, [N, styles, width].</param>
    /// <param name="noise">y, normal, of the images' shape.</param>
    /// <returns>[N].</returns>
    public static Tensor PathLengths(Tensor images, Tensor styles, Tensor noise)
    {
        using var scope = NewDisposeScope();
        var scale = 1 / Math.Sqrt(images.shape[2] * images.shape[3]);
        var gradient = autograd.grad([(images * noise).sum() * scale], [styles], retain_graph: true, create_graph: true)[0];
        return gradient.square().sum(2).mean([1]).sqrt().MoveToOuterDisposeScope();
    }
}
