namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>A way to train a StyleGAN2, by its four kinds of update.</summary>
internal abstract class ImageTrainingVariant(string name) : IDisposable
{
    public string Name => name;

    /// <summary>An update of the generator and one of the discriminator.</summary>
    public abstract void UpdateBoth();

    /// <summary>An update of the generator by path length regularization.</summary>
    public abstract void RegularizeGenerator();

    /// <summary>An update of the discriminator by the R1 penalty.</summary>
    public abstract void RegularizeDiscriminator();

    public abstract void Dispose();
}
