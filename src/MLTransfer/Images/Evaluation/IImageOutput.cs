namespace MLTransfer.Images.Evaluation;

/// <summary>A transformer that makes pictures.</summary>
internal interface IImageOutput
{
    /// <summary>The column of its pictures.</summary>
    string ImageColumn { get; }
}
