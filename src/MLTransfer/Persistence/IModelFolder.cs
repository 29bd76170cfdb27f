namespace MLTransfer.Persistence;

/// <summary>A transformer whose model can be written as a folder that training starts from again.</summary>
internal interface IModelFolder
{
    /// <summary>Writes the model.</summary>
    /// <param name="folder">A new or empty folder, or one that holds a model of this kind, which is replaced.</param>
    /// <param name="weightType">The number format of the stored weights.</param>
    /// <exception cref="IOException">The folder holds something else than a model, or cannot be written.</exception>
    /// <exception cref="NotSupportedException">The model has something that such a folder cannot hold.</exception>
    void SaveModelFolder(string folder, WeightType weightType);
}
