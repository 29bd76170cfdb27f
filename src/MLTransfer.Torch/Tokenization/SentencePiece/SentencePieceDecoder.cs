using System.Buffers;
using System.Text;
using System.Text.Unicode;
using MLTransfer.Torch.Tokenization.Decoders;
using MLTransfer.Torch.Tokenization.Models;

namespace MLTransfer.Torch.Tokenization.SentencePiece;

/// <summary>SentencePiece's own way from pieces to text (`SentencePieceProcessor::Decode`).</summary>
internal sealed class SentencePieceDecoder(SentencePieceFile file) : IDecoder
{
    private const string SpaceSign = "\u2581";

    private readonly Dictionary<string, PieceKind> _kinds =
        file.Pieces.DistinctBy(piece => piece.Text).ToDictionary(piece => piece.Text, piece => piece.Kind, StringComparer.Ordinal);

    public bool Fuses => true;

    public DecoderRun Start(DecodingMode mode) => new Run(this, mode.IsStreamed);

    private SentencePieceFile File => file;

    private sealed class Run(SentencePieceDecoder decoder, bool isStreamed) : DecoderRun
    {
        private readonly List<byte> _bytes = [];
        private bool _isBeginning = true;

        public override void Push(string text, List<string> output)
        {
            PieceKind kind = decoder._kinds.GetValueOrDefault(text, PieceKind.Normal);
            if (kind == PieceKind.Byte)
            {
                _bytes.Add(ByteTokens.ByteOf(text) ?? 0);
                if (isStreamed && (byte[])[.. _bytes] is var bytes && Utf8.IsValid(bytes))
                    FlushBytes(output);
                return;
            }

            FlushBytes(output);
            if (kind == PieceKind.Control)
                return;
            if (kind == PieceKind.Unknown)
            {
                Emit(decoder.File.UnknownSurface, output);
                return;
            }

            bool dropsSpace = _isBeginning && text.StartsWith(SpaceSign, StringComparison.Ordinal)
                && (decoder.File.AddsDummyPrefix || decoder.File.RemovesExtraSpaces);
            if (dropsSpace)
                text = text[1..];
            Emit(text.Replace(SpaceSign, " ", StringComparison.Ordinal), output);

            // Of more spaces all are dropped where those of the text were removed.
            if (dropsSpace && !decoder.File.RemovesExtraSpaces)
                _isBeginning = false;
        }

        public override void Flush(List<string> output)
        {
            FlushBytes(output);
            _isBeginning = true;
        }

        private void FlushBytes(List<string> output)
        {
            ReadOnlySpan<byte> bytes = [.. _bytes];
            _bytes.Clear();
            var text = new StringBuilder();
            while (!bytes.IsEmpty)
            {
                if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == OperationStatus.Done)
                    text.Append(rune);
                else
                    (length, _) = (1, text.Append('\uFFFD'));
                bytes = bytes[length..];
            }

            Emit(text.ToString(), output);
        }

        private void Emit(string text, List<string> output)
        {
            if (text.Length == 0)
                return;
            output.Add(text);
            _isBeginning = false;
        }
    }
}
