import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Resource<T> {
  /** The newest value; stays while a later load fails. */
  readonly value: T | null;
  readonly error: Error | null;
  readonly reload: () => void;
}

/**
 * Loads a value, and loads it again at an interval while the page is seen.
 *
 * @param key names what is loaded: another key begins anew; null loads nothing
 */
export function useResource<T>(
  key: string | null,
  load: () => Promise<T>,
  { everyMs }: { readonly everyMs?: number | undefined } = {},
): Resource<T> {
  const [state, setState] = useState<{ key: string | null; value: T | null; error: Error | null }>({
    key,
    value: null,
    error: null,
  });
  const latest = useRef(load);
  latest.current = load;
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    if (key === null) return;
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const once = async (): Promise<void> => {
      if (!document.hidden) {
        try {
          const value = await latest.current();
          if (isCurrent) setState({ key, value, error: null });
        } catch (thrown) {
          const error = thrown instanceof Error ? thrown : new Error(String(thrown));
          if (isCurrent) {
            setState((before) => ({ key, value: before.key === key ? before.value : null, error }));
          }
        }
      }
      if (isCurrent && everyMs !== undefined) timer = setTimeout(() => void once(), everyMs);
    };
    void once();
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [key, everyMs, turn]);

  const reload = useCallback(() => {
    setTurn((before) => before + 1);
  }, []);
  const isOfKey = state.key === key;
  return { value: isOfKey ? state.value : null, error: isOfKey ? state.error : null, reload };
}
