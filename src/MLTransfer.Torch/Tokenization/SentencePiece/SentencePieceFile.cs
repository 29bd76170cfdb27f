using System.Text;
using System.Text.Unicode;

namespace MLTransfer.Torch.Tokenization.SentencePiece;

/// <summary>What a SentencePiece model file says (`sentencepiece_model.proto`).</summary>
internal sealed class SentencePieceFile
{
    private readonly string _file;
    private readonly List<(string Text, float Score, PieceKind Kind)> _pieces = [];

    private SentencePieceFile(string file) => _file = file;

    /// <summary>The pieces by id.</summary>
    public IReadOnlyList<(string Text, float Score, PieceKind Kind)> Pieces => _pieces;

    /// <summary>1: unigram, 2: byte-pair, 3: words, 4: characters.</summary>
    public int ModelType { get; private set; } = 1;

    public bool TreatsSpaceAsSuffix { get; private set; }

    public bool FallsBackToBytes { get; private set; }

    public string UnknownSurface { get; private set; } = " \u2047 ";

    public int UnknownId { get; private set; }

    public int BeginningOfSequenceId { get; private set; } = 1;

    public int EndOfSequenceId { get; private set; } = 2;

    public int PaddingId { get; private set; } = -1;

    /// <summary>The compiled map of replacements; may be empty.</summary>
    public byte[] CharacterMap { get; private set; } = [];

    public bool AddsDummyPrefix { get; private set; } = true;

    public bool RemovesExtraSpaces { get; private set; } = true;

    public bool EscapesSpaces { get; private set; } = true;

    public static SentencePieceFile Read(ReadOnlySpan<byte> content, string file)
    {
        var model = new SentencePieceFile(file);
        var reader = new ProtobufReader(content, file);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    model.ReadPiece(reader.Bytes);
                    break;
                case 2:
                    model.ReadTraining(reader.Bytes);
                    break;
                case 3:
                    model.ReadNormalizer(reader.Bytes);
                    break;
                case 5:
                    model.ReadDenormalizer(reader.Bytes);
                    break;
            }
        }

        if (model._pieces.Count == 0)
            throw new InvalidDataException($"{file} is no SentencePiece model: it has no pieces.");
        if (model._pieces.FindIndex(piece => piece.Kind == PieceKind.Unknown) is var unknown && unknown < 0)
            throw new InvalidDataException($"{file} has no piece for unknown text.");
        model.UnknownId = unknown;
        return model.ModelType is >= 1 and <= 4 ? model
            : throw new NotSupportedException($"{file}: the model type {model.ModelType} is not supported; expected 1 to 4.");
    }

    private void ReadPiece(ReadOnlySpan<byte> message)
    {
        (string text, float score, PieceKind kind) = ("", 0, PieceKind.Normal);
        var reader = new ProtobufReader(message, _file);
        while (reader.Read())
        {
            if (reader.Field == 1)
                text = Text(reader.Bytes);
            else if (reader.Field == 2)
                score = reader.Float;
            else if (reader.Field == 3)
                kind = (PieceKind)reader.Value;
        }

        if (!Enum.IsDefined(kind) || text.Length == 0 || _pieces.Count == TokenVocabulary.MaximumSize)
        {
            throw new InvalidDataException(
                $"{_file}: piece {_pieces.Count} ('{text}', type {(int)kind}) is empty, of no known type, or one more than " +
                $"{TokenVocabulary.MaximumSize}.");
        }

        _pieces.Add((text, score, kind));
    }

    private void ReadTraining(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message, _file);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 3:
                    ModelType = (int)reader.Value;
                    break;
                case 24:
                    TreatsSpaceAsSuffix = reader.Value != 0;
                    break;
                case 35:
                    FallsBackToBytes = reader.Value != 0;
                    break;
                case 41:
                    BeginningOfSequenceId = (int)reader.Value;
                    break;
                case 42:
                    EndOfSequenceId = (int)reader.Value;
                    break;
                case 43:
                    PaddingId = (int)reader.Value;
                    break;
                case 44:
                    UnknownSurface = Text(reader.Bytes);
                    break;
            }
        }
    }

    private void ReadNormalizer(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message, _file);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 2:
                    CharacterMap = reader.Bytes.ToArray();
                    break;
                case 3:
                    AddsDummyPrefix = reader.Value != 0;
                    break;
                case 4:
                    RemovesExtraSpaces = reader.Value != 0;
                    break;
                case 5:
                    EscapesSpaces = reader.Value != 0;
                    break;
            }
        }
    }

    private void ReadDenormalizer(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message, _file);
        while (reader.Read())
        {
            if (reader.Field == 2 && reader.Bytes.Length > 0)
                throw new NotSupportedException($"{_file}: denormalizer_spec.precompiled_charsmap is not supported; expected none.");
        }
    }

    private string Text(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes)
        : throw new InvalidDataException($"{_file}: piece {_pieces.Count} is not valid UTF-8.");
}
