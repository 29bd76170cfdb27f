namespace MLTransfer.Torch.Sounds;

/// <summary>How the energy of a mel band is written.</summary>
public enum MelLogarithm
{
    /// <summary>As it is.</summary>
    None,

    /// <summary>Natural logarithm.</summary>
    Natural,

    /// <summary>Logarithm to the base 10.</summary>
    Decimal,
}
