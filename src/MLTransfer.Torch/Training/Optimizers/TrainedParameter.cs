using TorchSharp.Modules;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>A parameter as an optimizer is given it.</summary>
/// <param name="Name">Under which its state is saved.</param>
/// <param name="Parameter">What is changed.</param>
/// <param name="Decays">Whether weight decay applies to it.</param>
/// <param name="IsHidden">Whether it is a matrix or kernel inside the network, which Muon trains.</param>
internal sealed record TrainedParameter(string Name, Parameter Parameter, bool Decays, bool IsHidden = false)
{
    /// <summary>
    /// Parameters of layers that are no transformer's: all decay, and what has more than one number along two sides is inside the network.
    /// </summary>
    public static IEnumerable<TrainedParameter> OfLayers(IEnumerable<(string Name, Parameter Parameter)> parameters) =>
        parameters.Select(p => new TrainedParameter(p.Name, p.Parameter, Decays: true, HiddenMatrices.IsMatrix(p.Parameter)));
}
