namespace MLTransfer.Torch.Training.Images;

/// <summary>A row as the network learns it.</summary>
/// <param name="Text">Ids as <see cref="Networks.TextToImageModel.PadCaption"/> gives them; null for no caption.</param>
/// <param name="Codes">The picture's codes, row by row.</param>
internal sealed record TextToImageRow(int[]? Text, int[] Codes);
