using System.Text;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Patterns;

/// <summary>
/// Looks for a compiled regular expression in one text, with the ways of a backtracking matcher tried in their order. What an
/// instruction does at a position does not depend on how it was reached, so once a text has cost many steps, every fork that failed
/// is remembered and not tried again: the time is then bounded by the length of the text times that of the pattern.
/// </summary>
internal ref struct PatternMatcher
{
    private const int StepsBeforeMemory = 64;
    private const int None = -1;

    [ThreadStatic]
    private static int[]? t_stack;

    private readonly PatternProgram _program;
    private readonly ReadOnlySpan<char> _text;
    private readonly int[] _registers;
    private int[] _stack;
    private int _top;
    private long _budget;
    private ulong[]? _failed;
    private List<int>? _noted;
    private int _searchStart;

    public PatternMatcher(PatternProgram program, ReadOnlySpan<char> text)
    {
        _program = program;
        _text = text;
        _registers = program.Registers == 0 ? [] : new int[program.Registers];
        _stack = t_stack ?? new int[192];
        t_stack = null;
        _budget = 4096 + StepsBeforeMemory * (long)text.Length;
    }

    /// <summary>The first match at or after a position.</summary>
    public bool TryFind(int from, out int start, out int end)
    {
        _searchStart = from;
        _registers.AsSpan().Fill(None); // those of groups: none was taken
        for (start = from; start <= _text.Length;)
        {
            if (start == _text.Length)
            {
                if (_program.First is null && (end = Match(0, start)) != None)
                    return true;
                break;
            }

            int character = CharacterAt(start, out int units);
            if (_program.First is null || _program.First.Contains(character))
            {
                end = Match(0, start);
                if (end != None)
                    return true;
            }

            start += units;
        }

        end = None;
        return false;
    }

    /// <summary>Gives back what the matcher borrowed.</summary>
    public readonly void Return()
    {
        if (_stack.Length <= 1 << 16)
            t_stack = _stack;
    }

    /// <summary>Where the way from an instruction on that comes first ends, or <see cref="None"/>.</summary>
    private int Match(int start, int position)
    {
        Instruction[] instructions = _program.Instructions;
        int bottom = _top;
        int current = start;
        while (true)
        {
            Instruction instruction = instructions[current];
            if (--_budget < 0)
                _failed ??= new ulong[((long)_program.Remembered * (_text.Length + 1) + 63) / 64];

            bool succeeds = true;
            int next = current + 1;
            switch (instruction.Operation)
            {
                case Operation.Character:
                    succeeds = position < _text.Length;
                    if (succeeds)
                    {
                        succeeds = instruction.Set.Contains(CharacterAt(position, out int units));
                        position += units;
                    }

                    break;
                case Operation.Run:
                    succeeds = Run(instruction, current, ref position);
                    break;
                case Operation.PossessiveRun:
                    succeeds = RunLength(instruction, position, int.MaxValue, out position, out _);
                    break;
                case Operation.Place:
                    succeeds = IsPlace(instruction.Place, position);
                    break;
                case Operation.Fork or Operation.LazyFork:
                    succeeds = Fork(instruction, current, position, ref next);
                    break;
                case Operation.Jump:
                    next = instruction.Target;
                    break;
                case Operation.EnterLoop:
                    Push(~instruction.Register, _registers[instruction.Register], 0);
                    _registers[instruction.Register] = position;
                    break;
                case Operation.RepeatLoop:
                    if (_registers[instruction.Register] != position)
                        next = instruction.Target;
                    break;
                case Operation.Keep:
                    Push(~instruction.Register, _registers[instruction.Register], 0);
                    _registers[instruction.Register] = position;
                    break;
                case Operation.BackReference:
                    succeeds = BackReference(instruction, ref position);
                    break;
                case Operation.LookAtNext:
                    succeeds = (
                        position < _text.Length && instruction.Set.Contains(CharacterAt(position, out _))) != instruction.IsNegative;
                    break;
                case Operation.Look:
                    succeeds = Look(instruction, current + 1, position) != instruction.IsNegative;
                    next = instruction.Target;
                    break;
                case Operation.Atomic:
                    position = IsKnownToFail(instruction, position) ? None : MatchInner(current + 1, position);
                    succeeds = position != None;
                    next = instruction.Target;
                    break;
                case Operation.Accept:
                    _top = bottom;
                    return position;
            }

            current = next;
            if (!succeeds && !Backtrack(bottom, ref current, ref position))
                return None;
        }
    }

    private bool Fork(Instruction fork, int current, int position, ref int next)
    {
        if (IsKnownToFail(fork, position))
            return false;

        bool canTarget = CanBegin(fork.Operation == Operation.Fork ? fork.OtherFirst : fork.First, position);
        bool canNext = CanBegin(fork.Operation == Operation.Fork ? fork.First : fork.OtherFirst, position);
        (int preferred, bool canPreferred, int other, bool canOther) = fork.Operation == Operation.Fork
            ? (current + 1, canNext, fork.Target, canTarget)
            : (fork.Target, canTarget, current + 1, canNext);
        if (!canPreferred)
        {
            next = other;
            return canOther;
        }

        next = preferred;
        if (canOther)
            Push(other, position, None);
        return true;
    }

    private readonly bool CanBegin(CodePointSet? first, int position) =>
        first is null || position < _text.Length && first.Contains(CharacterAt(position, out _));

    private bool Run(Instruction run, int current, ref int position)
    {
        // With a memory: the run after its fewest characters is one state for each position, which fails or not whatever came
        // before; it is scanned as far as that is not known.
        if (_failed is not null && run.Maximum == int.MaxValue && run.Memory >= 0)
        {
            if (!RunLength(run, position, run.Minimum, out int fewestEnd, out _))
                return false;
            int known = fewestEnd;
            while (true)
            {
                if (IsKnownToFail(run, known))
                    break;
                if (known == _text.Length || !run.Set.Contains(CharacterAt(known, out int units)))
                {
                    known = ~known;
                    break;
                }

                known += units;
            }

            // Up to where it was known to fail, that place left out; or to the end of the run.
            int last = known < 0 ? ~known : StepBack(known);
            if (last < fewestEnd)
                return false;
            if (last > fewestEnd)
                Push(current + 1, last, fewestEnd);
            position = last;
            return true;
        }

        if (!RunLength(run, position, int.MaxValue, out int end, out int fewest))
            return false;
        _budget -= end - position;
        if (end > fewest)
            Push(current + 1, end, fewest);
        position = end;
        return true;
    }

    /// <summary>Takes characters of a run, at most so many.</summary>
    /// <param name="run">The run.</param>
    /// <param name="position">Where it begins.</param>
    /// <param name="most">The most characters to take.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="fewestEnd">Where it would end with the fewest characters.</param>
    private readonly bool RunLength(Instruction run, int position, int most, out int end, out int fewestEnd)
    {
        CodePointSet set = run.Set;
        int minimum = run.Minimum;
        int maximum = Math.Min(run.Maximum, most);
        fewestEnd = position;
        int count = 0;
        while (count < maximum && position < _text.Length && set.Contains(CharacterAt(position, out int units)))
        {
            position += units;
            count++;
            if (count == minimum)
                fewestEnd = position;
        }

        end = position;
        return count >= minimum;
    }

    private readonly bool BackReference(Instruction reference, ref int position)
    {
        (int start, int end) = (_registers[reference.Register], _registers[reference.Register + 1]);
        if (start < 0 || end < start || !_text[position..].StartsWith(_text[start..end]))
            return false;
        position += end - start;
        return true;
    }

    private bool Look(Instruction look, int start, int position)
    {
        for (int i = 0; i < look.Back; i++)
        {
            if (position == 0)
                return false;
            position = StepBack(position);
        }

        return MatchInner(start, position) != None;
    }

    /// <summary>Matches a part by itself. What a part that matched went through is not known to fail.</summary>
    private int MatchInner(int start, int position)
    {
        List<int>? outer = _noted;
        _noted = [];
        int end = Match(start, position);
        if (end != None)
        {
            foreach (int bit in _noted)
                _failed![bit >> 6] &= ~(1UL << (bit & 63));
        }
        else
        {
            outer?.AddRange(_noted);
        }

        _noted = outer;
        return end;
    }

    /// <summary>Whether an instruction was tried at a position before; notes that it is being tried.</summary>
    private readonly bool IsKnownToFail(Instruction instruction, int position)
    {
        if (_failed is null || instruction.Memory < 0)
            return false;
        long bit = (long)instruction.Memory * (_text.Length + 1) + position;
        ref ulong word = ref _failed[bit >> 6];
        if (((word >> (int)(bit & 63)) & 1) != 0)
            return true;
        word |= 1UL << (int)(bit & 63);
        _noted?.Add(checked((int)bit));
        return false;
    }

    private bool Backtrack(int bottom, ref int current, ref int position)
    {
        while (_top > bottom)
        {
            _top -= 3;
            (int target, int place, int fewest) = (_stack[_top], _stack[_top + 1], _stack[_top + 2]);
            if (target < 0)
            {
                _registers[~target] = place;
                continue;
            }

            if (fewest != None)
            {
                // A run gives back a character.
                place = StepBack(place);
                if (place > fewest)
                    Push(target, place, fewest);
            }

            (current, position) = (target, place);
            return true;
        }

        return false;
    }

    private void Push(int target, int position, int fewest)
    {
        if (_top + 3 > _stack.Length)
            Array.Resize(ref _stack, checked(2 * _stack.Length));
        _stack[_top++] = target;
        _stack[_top++] = position;
        _stack[_top++] = fewest;
    }

    private readonly bool IsPlace(PlaceKind kind, int position) => kind switch
    {
        PlaceKind.LineStart => position == 0 || _text[position - 1] == '\n' && position < _text.Length,
        PlaceKind.LineEnd => position == _text.Length || _text[position] == '\n',
        PlaceKind.TextStart => position == 0,
        PlaceKind.TextEnd => position == _text.Length,
        PlaceKind.TextEndOrLastLineBreak => position == _text.Length || position == _text.Length - 1 && _text[position] == '\n',
        PlaceKind.SearchStart => position == _searchStart,
        PlaceKind.WordBoundary => IsWordAt(position) != IsWordBefore(position),
        _ => IsWordAt(position) == IsWordBefore(position),
    };

    private readonly bool IsWordAt(int position) =>
        position < _text.Length && UnicodeProperties.LoneWord.Contains(CharacterAt(position, out _));

    private readonly bool IsWordBefore(int position) =>
        position > 0 && UnicodeProperties.LoneWord.Contains(CharacterAt(StepBack(position), out _));

    private readonly int StepBack(int position) =>
        position - (position > 1 && char.IsLowSurrogate(_text[position - 1]) && char.IsHighSurrogate(_text[position - 2]) ? 2 : 1);

    private readonly int CharacterAt(int position, out int units)
    {
        char first = _text[position];
        if (!char.IsSurrogate(first))
        {
            units = 1;
            return first;
        }

        Rune.DecodeFromUtf16(_text[position..], out Rune rune, out units);
        return rune.Value;
    }
}
