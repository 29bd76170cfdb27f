namespace MLTransfer.Torch.Training.Preferences;

/// <summary>The model that rewards are measured against. It is never a second copy of weights.</summary>
public enum PreferenceReference
{
    /// <summary>
    /// The model with its adapters switched off; without adapters as it is before the first step. Where training goes on with adapters
    /// that were trained before, that is the model before those. Biases, whole modules and rows of tokens that are trained beside adapters
    /// count as they are before the first step.
    /// </summary>
    AdaptersOff,

    /// <summary>The model as it is before the first step, adapters that it has included.</summary>
    Start,
}
