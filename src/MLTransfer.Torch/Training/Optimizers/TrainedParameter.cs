using TorchSharp.Modules;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>A parameter as an optimizer is given it.</summary>
/// <param name="Name">Under which its state is saved.</param>
/// <param name="Parameter">What is changed.</param>
/// <param name="Decays">Whether weight decay applies to it.</param>
/// <param name="IsHidden">Whether it is a matrix or kernel inside the network, which Muon trains.</param>
internal sealed record TrainedParameter(string Name, Parameter Parameter, bool Decays, bool IsHidden = false);
