namespace MLTransfer.Torch.Tokenization.Patterns;

/// <summary>Places between characters that a regular expression can ask for.</summary>
internal enum PlaceKind
{
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    TextEndOrLastLineBreak,
    SearchStart,
    WordBoundary,
    NoWordBoundary,
}
